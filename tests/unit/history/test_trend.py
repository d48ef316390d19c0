from dataclasses import replace

import numpy as np
import pytest

from voiceperf.history.runs import Benchmark, Run
from voiceperf.history.trend import trends, workload_trends
from voiceperf.judge.runs import RunData, Series


def run(number, median_s, control_s=0.03, machine="m1", commit=None, **libraries):
    return Run(
        source=f"{number:04}_x.json",
        date=f"2026-01-{number:02}",
        commit=commit or f"c{number}",
        dirty=False,
        fingerprint={"machine_id": machine, "libraries": libraries},
        benchmarks=(Benchmark("t.py::test_a", "test_a", median_s, {}),),
        record={"control_s": control_s} if control_s else {},
        data=RunData({}, {}),
    )


def steady(ratio_from_six=1.0, drift=lambda number: 1.0, **changes):
    rng = np.random.default_rng(4)
    return [
        run(n, 0.2 * drift(n) * (ratio_from_six if n >= 6 else 1) * float(np.exp(rng.normal(0, 0.01))),
            control_s=0.03 * drift(n), **{k: v(n) for k, v in changes.items()})
        for n in range(1, 12)
    ]  # fmt: skip


def test_times_are_divided_by_the_control():
    """A machine's slow hour, in which the control is slower too, is no shift."""
    (trend,) = trends(steady(drift=lambda number: 2.0 if number > 5 else 1.0))
    assert trend.is_normalised
    assert trend.points[0].normalised == pytest.approx(0.2 / 0.03, rel=0.05)
    assert trend.shifts() == []


def test_shift_names_commit_and_libraries():
    """A level that rises by a fifth names the commit, by how much, and the version that is new there."""
    (trend,) = trends(steady(1.2, onnxruntime=lambda n: "1.33" if n >= 6 else "1.32"))
    (shift,) = trend.shifts()
    assert (shift.run.commit, shift.changed) == ("c6", ("onnxruntime 1.32 -> 1.33",))
    assert shift.ratio == pytest.approx(1.2, abs=0.03)


def test_machines_have_histories_of_their_own():
    """Runs of two machines are two trends, not one that jumps."""
    found = trends([run(n, 0.2 if n % 2 else 0.9, machine=f"m{n % 2}") for n in range(1, 12)])
    assert sorted((trend.machine_id, len(trend.points)) for trend in found) == [("m0", 5), ("m1", 6)]
    assert all(trend.shifts() == [] for trend in found)


def test_runs_without_control_show_seconds():
    """Histories of plain pytest-benchmark are shown as they are."""
    (trend,) = trends([run(n, 0.2, control_s=None) for n in range(1, 4)])
    assert not trend.is_normalised
    assert trend.levels == [0.2] * 3


def test_part_of_a_name_chooses():
    """Only benchmarks whose name contains the text."""
    assert trends([run(1, 0.2)], "test_a")
    assert trends([run(1, 0.2)], "test_b") == []


def measured(number, medians, form="full", machine="m1", candidate="shipped"):
    work = {"workload": "llama", "partner": "control"}
    benchmarks = tuple(
        Benchmark(
            f"t[{turn}]",
            f"t[{turn}]",
            7.0,
            {**work, "profile": candidate, "turn": turn, "pairs_wall_ns": [[own * 1e9, 1e8], [own * 1e9, 1e8]]},
        )
        for turn, own in enumerate(medians)
    )
    times = {turn: [(1e8, own * 1e9)] * 2 for turn, own in enumerate(medians)}
    series = {f"llama: {candidate} / control": Series(times), f"llama: fair / {candidate}": Series({0: [(9.0, 9.0)]})}
    record = {"control_s": 0.05, "form": form, "call": "c", "candidate": candidate}
    source, facts = f"{number:04}_x.json", {"machine_id": machine}
    return Run(source, f"2026-01-{number:02}", "c", False, facts, benchmarks, record, RunData(series, {}))


def test_a_workloads_trend_is_the_candidates_over_all_turns():
    """Turns count alike; runs of another machine, form, candidate or set of turns are not put beside them."""
    others = [
        measured(2, [0.2, 0.2], form="short"),
        measured(3, [0.2, 0.2], machine="m2"),
        measured(4, [0.2, 0.2], candidate="mine"),
        measured(5, [0.2]),
    ]
    first = measured(1, [0.1, 0.4])
    (trend,) = workload_trends([first, *others, measured(6, [0.1, 0.1])], first)
    assert trend.benchmark == "llama"
    assert trend.levels == pytest.approx([2.0, 1.0])
    assert [point.median_s for point in trend.points] == pytest.approx([0.2, 0.1])
    titles = [trend.benchmark for trend in workload_trends([first, others[0], measured(6, [0.1, 0.1])])]
    assert titles == ["llama (shipped, full)", "llama (shipped, short)"]


def test_a_turn_is_known_by_its_work_and_not_by_its_tests_name():
    """Where tests were renamed, a turn's history goes on; its level is the pairs', not the whole session's control."""
    before, after = measured(1, [0.1]), measured(2, [0.2])
    renamed = replace(after, benchmarks=tuple(replace(one, name="new", fullname="new") for one in after.benchmarks))
    (trend,) = trends([before, renamed])
    assert trend.benchmark == "llama: shipped, turn 0"
    assert trend.levels == pytest.approx([1.0, 2.0])
