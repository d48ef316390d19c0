"""Tables of comparisons, duels and histories: complete, and never wider than a page."""

import dataclasses
import io

import pytest

from voiceperf.engines.base import KernelCount
from voiceperf.engines.llama import LlamaParams
from voiceperf.history.compare import Comparison
from voiceperf.history.runs import Benchmark, Run
from voiceperf.history.trend import trends
from voiceperf.judge.regression import Change
from voiceperf.judge.runs import Row, RunData
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.launch import Spent
from voiceperf.measure.resources import Usage
from voiceperf.quality.gate import Quality
from voiceperf.report.comparison import comparison_markdown, print_comparison, print_sides, sides_markdown
from voiceperf.report.history import history_markdown, print_history, print_runs, sparkline
from voiceperf.report.tables import as_markdown, page
from voiceperf.report.tuning import speed_against_quality, together
from voiceperf.suite.duel import Duel
from voiceperf.suite.sides import Judged
from voiceperf.tune.space import Space
from voiceperf.tune.together import Change as TurnChange
from voiceperf.tune.trial import TOGETHER, Trial
from voiceperf.tune.tuner import RoleFound

SLOW = Interval(1.07, 1.04, 1.10, 18)
PASS, FAIL = Finding(Verdict.PASS, "fine"), Finding(Verdict.FAIL, "1.04 at best, bar 1.02")


def run(number, median_s=0.2):
    benchmark = Benchmark("tests/perf/test_call.py::test_turn[turn_1-shipped-llama]", "n", median_s, {})
    facts = {"machine_id": "m1", "libraries": {"onnxruntime": "1.32" if number < 5 else "1.33"}}
    date, commit = f"2026-01-{number:02}T10:00:00", f"{number}" * 40
    return Run(
        f"{number:04}_x.json", date, commit, number == 2, facts, (benchmark,), {"control_s": 0.03}, RunData({}, {})
    )


@pytest.fixture
def comparison():
    rows = (
        Row("thinking: shipped / fair", SLOW, 0.02, FAIL),
        Row("quality of llama: time of a 32-token reply against fair", None, None, PASS),
    )
    return Comparison(run(1), run(6), rows, ("onnxruntime 1.32 -> 1.33",))


@pytest.fixture
def judged():
    ours = (KernelCount("product of q8_0", 1800, 200),)
    usages = {"baseline": Usage(10.0, 200_000_000, 5, 0.0), "candidate": Usage(11.0, 210_000_000, 6, None, ours)}
    spent = [{side: Spent(1.0, usage) for side, usage in usages.items()}]
    duel = Duel("thinking", FAIL, Change.SLOWER, SLOW, 6, [{1: [(1.0, 1.07)]}], spent)
    thinking = Judged("thinking", FAIL, SLOW, duel=duel, quality=Quality(PASS, "KLD 0.0054, top-1 96.6%"))
    return [thinking, Judged("memory", PASS, text="200 -> 210 MB"), Judged("start-up", PASS, SLOW, "1.0 -> 1.1 s")]


@pytest.fixture
def history():
    return trends([run(n, 0.2 if n < 5 else 0.3) for n in range(1, 9)])


def printed(show, *what):
    text = io.StringIO()
    show(*what, page(text))
    lines = text.getvalue().splitlines()
    assert max(map(len, lines)) <= 100
    return "\n".join(lines)


def test_comparison_names_change_and_verdict(comparison):
    """What became slower, by how much, what would have been seen, and what else is different."""
    text = printed(print_comparison, comparison)
    for said in (
        "0006_x.json against 0001_x.json",
        "+7.0%",
        "+2%",
        "ALARM",
        "onnxruntime 1.32 -> 1.33",
        "1.04 at best",
    ):
        assert said in text


def test_comparison_is_the_same_in_markdown(comparison):
    """A pull request sees the verdict first, then the same rows."""
    text = comparison_markdown(comparison)
    assert text.startswith("### voiceperf: ALARM, against `0001_x.json`")
    assert "| thinking: shipped / fair | +7.0% [+4.0%, +10.0%] | +2% | ALARM |" in text
    assert "- changed since: onnxruntime 1.32 -> 1.33" in text


def test_sides_show_time_resources_and_quality(judged):
    """Speed never stands without the quality and the processor time and memory it took."""
    text = printed(print_sides, judged)
    for said in ("slower", "+7.0%", "10.0 -> 11.0", "200 -> 210", "1.0 -> 1.1 s", "KLD 0.0054", "FAIL"):
        assert said in text
    assert "voiceperf's kernels, thinking, candidate: product of q8_0 1,800 of 2,000" in text
    assert "kernels, thinking, baseline" not in text
    assert "| thinking | slower +7.0% [+4.0%, +10.0%] |" in sides_markdown(judged, Verdict.FAIL, "new against old")


def test_history_marks_the_shift(history):
    """The table has a sparkline and the shift; below it the commit and what changed there."""
    text = " ".join(printed(print_history, history).split())
    for said in ("▁▁▁▁████", "+50% at 555555555", "onnxruntime 1.32 -> 1.33"):
        assert said in text
    assert "▁▁▁▁████" in history_markdown(history)


def test_machines_are_named_where_there_are_several(history):
    """The same benchmark of two machines is two rows that say whose they are; with one machine its name is noise."""
    other = dataclasses.replace(history[0], machine_id=None)
    assert "on unknown" not in history_markdown(history)
    both = history_markdown([history[0], other])
    assert f"on {history[0].machine_id} |" in both
    assert "on unknown |" in both


def test_single_benchmark_is_listed_run_by_run(history):
    """One row a run, with a star on what was not committed."""
    text = printed(print_runs, history[0])
    assert text.count("2026-01-") == 8
    assert "222222222*" in text


@pytest.mark.parametrize(("values", "line"), [([1.0], "▁"), ([2.0, 2.0], "▁▁"), ([1.0, 2.0, 3.0], "▁▅█")])
def test_sparkline_spans_its_values(values, line):
    """From the least to the greatest; a level line lies low."""
    assert sparkline(values) == line


def test_bar_in_a_cell_does_not_end_it():
    """A test's name may hold a bar."""
    assert as_markdown(["a"], [["x|y"]]).splitlines()[-1] == "| x\\|y |"


def test_chosen_setting_is_shown_where_it_is_not_on_the_frontier():
    """A proven setting that won when rivals met directly stands marked beside the faster points, the others do not."""
    space = Space(LlamaParams(), {"n_threads": (4, 2, 1)}, {})
    fast, proven, slow = (
        Trial(number, TOGETHER, {"n_threads": threads}, ratio, ratio, ratio, False, verdict, loss, "")
        for number, threads, ratio, verdict, loss in [
            (1, 1, 0.5, "PASS", 0.2),
            (2, 2, 0.51, "", None),
            (3, 4, 0.9, "", None),
        ]
    )
    found = RoleFound(space, [slow, proven, fast], None, proven)
    rows = [
        line for line in printed(lambda page: page.print(speed_against_quality(found))).splitlines() if "0." in line
    ]
    assert [("0.50" in row, "0.51" in row, ">" in row) for row in rows] == [(True, False, False), (False, True, True)]


def test_a_change_of_whole_turns_says_whether_it_was_kept_and_else_why_not():
    """What was tried with all engines alive has a word on each, and a refused one says its reason."""
    changes = [
        TurnChange("thinking", "nice", 10, Interval(0.88, 0.86, 0.92, 12), ""),
        TurnChange("speaking", "by_sentence", False, Interval(2.5, 2.0, 3.2, 6), "not surely shorter"),
    ]
    text = printed(lambda page: page.print(together(changes)))
    assert [line.split("│")[3].strip() for line in text.splitlines() if "." in line] == [
        "yes",
        "no, not surely shorter",
    ]
