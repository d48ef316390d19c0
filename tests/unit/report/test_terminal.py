import io
from dataclasses import replace

import pytest
from rich.console import Console

from voiceperf.judge.criteria import Bar, Criterion
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.report.tables import WIDTH, print_criteria


def printed(*criteria):
    out = io.StringIO()
    print_criteria(criteria, Console(file=out, width=200, no_color=True))
    return out.getvalue()


def criterion(verdict, figure=Interval(0.7, 0.65, 0.75, 28)):
    finding = Finding(verdict, "time ratio: 0.75 at worst, bar 0.8")
    good = Finding(Verdict.PASS, "")
    return Criterion(
        Bar("llama", "llama", "llama", "llama: reply", "ratio", 0.8, 0.6, "", ""),
        "fair",
        figure,
        finding,
        good,
        "KLD 0.005",
    )


def test_row_shows_figure_interval_bar_quality_and_verdict():
    """A reader sees how much less, how sure, against what, at what quality."""
    text = printed(criterion(Verdict.PASS))
    for part in ("llama: reply", "fair", "-30.0%", "-35.0%", "-25.0%", "-20%", "aim -40%", "KLD 0.005", "PASS"):
        assert part in text


def test_what_does_not_pass_is_explained():
    """Each row that does not pass is followed by its reason."""
    assert "FAIL: llama: reply against fair: time ratio" in printed(criterion(Verdict.FAIL))


def test_unmeasured_figure_is_said_to_be():
    """What was not measured shows no number."""
    assert "not measured" in printed(
        Criterion(
            Bar("x", "", "x", "x", "ratio", 0.8, None, "", ""),
            "fair",
            None,
            Finding(Verdict.INVALID, ""),
            Finding(Verdict.PASS, ""),
            "",
        )
    )


def test_verdict_is_never_cut():
    """The longest verdict fits even where the terminal is narrow."""
    out = io.StringIO()
    print_criteria([criterion(Verdict.INCONCLUSIVE)], Console(file=out, width=80, no_color=True))
    assert "INCONCLUSIVE │" in out.getvalue()


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_word_is_broken(width):
    """A column is as wide as its longest word, whatever its share of the page is."""
    out = io.StringIO()
    row = replace(criterion(Verdict.PASS), baseline="upstream", quality_text="98 utterances, 1.12 dB, perplexity")
    print_criteria([row], Console(file=out, width=width, no_color=True))
    table = "".join(line for line in out.getvalue().splitlines(keepends=True) if line[0] in "│┃")
    for word in ("criterion", "against", "upstream", "utterances,", "perplexity"):
        assert word in table
    assert max(map(len, out.getvalue().splitlines())) <= min(width, WIDTH)


def test_nothing_is_wider_than_a_page():
    """On a wide terminal the table stays within 100 columns."""
    table = printed(criterion(Verdict.PASS))
    assert max(map(len, table.splitlines())) <= WIDTH


def test_missed_aim_is_told_and_changes_no_verdict():
    """Below the table stands how far a figure is from what tuning strives for."""
    assert "aim missed: llama: reply against fair: 0.75 at worst, aim 0.6 (ratio)" in printed(criterion(Verdict.PASS))
