import json
from dataclasses import replace

import numpy as np
import pytest

from voiceperf.history.compare import compare_runs, differences
from voiceperf.history.ledger import Calibration, write_noise
from voiceperf.history.runs import Run, read_run
from voiceperf.judge.noise import Noise, Variance
from voiceperf.judge.runs import RunData, Series
from voiceperf.judge.verdict import Finding, Verdict

RUN = Run("a", "today", "c", False, {"machine_id": "m1"}, (), {"form": "full", "call": "c1"}, RunData({}, {}))
NOISE = Noise(Variance(0.0009, 40.0), Variance(0.0, 12.0), Variance(0.0001, 30.0))


@pytest.fixture
def storage(tmp_path):
    """A calibrated machine."""
    write_noise(tmp_path, {"machine_id": "m1"}, Calibration("full", "c1", {"a": NOISE, "a / control": NOISE}), "today")
    return tmp_path


def measured(*names, max_slowdown=None, **libraries):
    times = {1: [(1.0, 1.0)] * 8}
    series = {name: Series(times, max_slowdown) for name in names}
    data = RunData(series, {"c": Finding(Verdict.PASS, "fine")})
    return replace(RUN, data=data, fingerprint={"machine_id": "m1", "libraries": libraries})


def test_runs_of_one_machine_form_and_call_are_judged(storage):
    """Equal runs pass."""
    assert compare_runs(measured("a"), measured("a"), storage).finding.verdict is Verdict.PASS


def test_other_call_is_invalid(storage):
    """Shorter replies are not a faster engine."""
    comparison = compare_runs(RUN, replace(RUN, record={**RUN.record, "call": "c2"}), storage)
    assert "texts or sounds have changed" in comparison.finding.reason


def times(level, seed=1):
    rng = np.random.default_rng(seed)
    return {turn: [(1.0, float(level * np.exp(x))) for x in rng.normal(0, 0.01, 8)] for turn in (1, 2, 3)}


def saved(storage, number, level, **changes):
    """A run in the storage, with the shipped profile's time as a level over the control's."""
    path = storage / "Linux" / f"000{number}_a.json"
    path.parent.mkdir(exist_ok=True)
    benchmarks = [
        {
            "name": f"t{turn}",
            "fullname": f"t{turn}",
            "stats": {"median": 1},
            "extra_info": {
                "workload": "hearing",
                "profile": "shipped",
                "partner": "control",
                "turn": turn,
                "pairs_wall_ns": [[own, control] for control, own in pairs],
            },
        }
        for turn, pairs in times(level, seed=number).items()
    ]
    record = {"format": 2, "form": "full", "call": "c1", "settings": {"hearing of shipped": "s1"}, **changes}
    info = {"voiceperf": {"machine_id": "m1", "id": "f1"}}
    document = {"benchmarks": benchmarks, "machine_info": info, "voiceperf": record, "datetime": f"2026-01-0{number}"}
    path.write_text(json.dumps(document))
    return read_run(path)


def seen(storage, accepted, now):
    (row, *_) = compare_runs(accepted, now, storage).rows
    return row.least_seen


def test_runs_of_identical_engines_teach_what_can_be_seen(tmp_path):
    """Each further run of the same engines lets the alarm see less; none of it has to be calibrated."""
    first, now = saved(tmp_path, 1, 1.0), saved(tmp_path, 2, 1.0)
    alone = seen(tmp_path, first, now)
    for number in range(3, 8):
        saved(tmp_path, number, 1.0)
    assert seen(tmp_path, first, now) < 0.7 * alone


@pytest.mark.parametrize(
    "changes", [{"settings": {"hearing of shipped": "s2"}}, {"settings": None}, {"form": "short"}, {"call": "c2"}]
)
def test_runs_of_other_engines_teach_nothing(tmp_path, changes):
    """Other settings, forms or calls, and runs that do not say their settings, differ by more than noise."""
    first, now = saved(tmp_path, 1, 1.0), saved(tmp_path, 2, 1.0)
    alone = seen(tmp_path, first, now)
    for number in range(3, 8):
        path = tmp_path / "Linux" / f"000{number}_a.json"
        saved(tmp_path, number, 1.0 + number, **changes)
        if changes == {"settings": None}:
            document = json.loads(path.read_text())
            del document["voiceperf"]["settings"]
            path.write_text(json.dumps(document))
        else:
            break  # one run of other engines is a group of its own
    assert seen(tmp_path, first, now) == pytest.approx(alone)


def test_other_settings_are_named(tmp_path):
    """Whose parameters, or whether voiceperf's own engines, are others is said beside the libraries."""
    before = saved(tmp_path, 1, 1.0)
    now = saved(tmp_path, 2, 1.0, settings={"hearing of shipped": "s2"})
    assert compare_runs(before, now, tmp_path).changed == ("hearing of shipped s1 -> s2",)


def test_a_run_beside_itself_is_no_change(tmp_path):
    """Whatever is known of a machine's noise, the same measurements have not changed."""
    finding = compare_runs(measured("a"), measured("a"), tmp_path).finding
    assert (finding.verdict, finding.reason) == (Verdict.PASS, "the same measurements: no change")


def test_new_numpy_makes_the_control_another(storage):
    """Times over the control are not compared across versions of NumPy; ratios of engines are."""
    before, after = (measured("a", "a / control", numpy=version) for version in ("2.0", "2.1"))
    found = {row.name: row.finding.verdict for row in compare_runs(before, after, storage).rows}
    assert (found["a"], found["a / control"]) == (Verdict.PASS, Verdict.INVALID)


def test_loosened_threshold_is_said(storage):
    """Whoever widens a marker is seen to have done it."""
    comparison = compare_runs(measured("a"), measured("a", max_slowdown=0.5), storage)
    assert comparison.changed == ("threshold of a default -> 50%",)


def test_other_form_is_invalid(storage):
    """The short form is not held against the full one."""
    comparison = compare_runs(RUN, replace(RUN, record={"form": "short"}), storage)
    assert comparison.finding.verdict is Verdict.INVALID
    assert "full form" in comparison.finding.reason


def test_run_without_fingerprint_is_invalid(tmp_path):
    """What was measured nobody knows where is not compared."""
    comparison = compare_runs(replace(RUN, fingerprint={}), RUN, tmp_path)
    assert "which machine" in comparison.finding.reason


def test_record_says_what_the_table_says(tmp_path):
    """`--json` has the verdict, the reason and every row."""
    record = compare_runs(RUN, RUN, tmp_path).as_record()
    assert record["verdict"] == "INVALID"
    assert record["rows"][0]["reason"] == record["reason"]


def test_differences_are_named_one_by_one():
    """Each library and model that changed, from what to what; ids say nothing to a reader."""
    before = {"id": "1", "system": "Linux 6", "libraries": {"a": "1", "b": "1"}, "models_sha256": {"m": "0" * 64}}
    after = {"id": "2", "system": "Linux 6", "libraries": {"a": "2", "b": "1"}, "models_sha256": {"m": "f" * 64}}
    assert differences(before, after) == ["a 1 -> 2", f"m {'0' * 8} -> {'f' * 8}"]
    assert differences({"system": "Linux 6"}, {"system": "Linux 7"}) == ["system Linux 6 -> Linux 7"]
    assert differences({}, {"libraries": {"a": "1"}}) == ["libraries none -> {'a': '1'}"]
