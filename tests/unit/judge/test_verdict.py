import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import (
    MIN_PAIRS,
    Check,
    Finding,
    Verdict,
    applicable,
    at_most,
    loss_at_most,
    point_at_most,
    worst,
)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.5, 0.7, "PASS"), (0.75, 0.85, "INCONCLUSIVE"), (0.81, 0.9, "FAIL"), (0.7, 0.8, "PASS")],
)
def test_whole_interval_decides(low, high, verdict):
    """Below the bar: PASS; above it: FAIL; across it: INCONCLUSIVE."""
    assert at_most(Interval((low + high) / 2, low, high, 20), 0.8, "ratio").verdict == verdict


@pytest.mark.parametrize(
    ("estimate", "low", "high", "verdict"),
    [
        (0.05, -0.02, 0.12, "INCONCLUSIVE"),  # perhaps none at all
        (0.05, 0.01, 0.12, "INCONCLUSIVE"),  # surely one, and by its estimate a small one
        (0.08, -0.01, 0.17, "INCONCLUSIVE"),
        (0.08, 0.01, 0.17, "FAIL"),
        (0.08, 0.07, 0.09, "FAIL"),
        (0.03, 0.01, 0.05, "PASS"),
    ],
)
def test_a_loss_fails_where_it_is_sure_and_likely_too_large(estimate, low, high, verdict):
    """What would be in doubt for ever, the recordings being the same each time, is decided by its estimate."""
    assert loss_at_most(Interval(estimate, low, high, 50), 0.06, "nats").verdict == verdict
    shifted = Interval(1 + estimate, 1 + low, 1 + high, 50)
    assert loss_at_most(shifted, 1.06, "ratio", none=1.0).verdict == verdict


@given(st.tuples(*[st.floats(-1, 1)] * 3), st.floats(0.001, 0.5))
def test_a_loss_is_judged_as_any_figure_but_for_doubts(ends, bar):
    """Only an INCONCLUSIVE becomes another verdict, and only FAIL."""
    low, estimate, high = sorted(ends)
    interval = Interval(estimate, low, high, 50)
    plain, found = at_most(interval, bar, "x").verdict, loss_at_most(interval, bar, "x").verdict
    assert found == plain or (plain, found) == (Verdict.INCONCLUSIVE, Verdict.FAIL)


def test_missing_or_thin_data_is_invalid():
    """Nothing measured, or fewer samples than can bound a ratio, is INVALID however good it looks."""
    assert at_most(None, 0.8, "ratio").verdict is Verdict.INVALID
    assert at_most(Interval(0.1, 0.1, 0.1, MIN_PAIRS - 1), 0.8, "ratio").verdict is Verdict.INVALID
    assert point_at_most(None, 1, "errors").verdict is Verdict.INVALID
    assert worst([]).verdict is Verdict.INVALID


def test_zero_is_a_figure_and_not_missing():
    """A measured zero is judged."""
    assert point_at_most(0, 0, "errors").verdict is Verdict.PASS


@given(st.lists(st.sampled_from(list(Verdict)), min_size=1))
def test_worst_never_hides_a_failure(verdicts):
    """All pass together only if each passes."""
    together = worst([Finding(verdict, "") for verdict in verdicts]).verdict
    assert (together is Verdict.PASS) == all(verdict is Verdict.PASS for verdict in verdicts)
    assert together in verdicts


def test_no_failure_hides_behind_another():
    """Where several things fail, the reasons of all are given, each once; those of what passed are not."""
    findings = [
        Finding(Verdict.FAIL, "slower"),
        Finding(Verdict.PASS, "as good"),
        Finding(Verdict.FAIL, "worse"),
        Finding(Verdict.FAIL, "slower"),
    ]
    assert worst(findings) == Finding(Verdict.FAIL, "slower; worse")


def test_the_figures_behind_a_finding_go_with_it():
    """Whatever passes or fails, each figure stands beside its bar, at the worst that its interval allows."""
    found = worst([at_most(Interval(0.01, 0.0, 0.015, 90), 0.02, "WER difference"), point_at_most(2, 0, "loops")])
    assert found.checks == (Check("WER difference", 0.015, 0.02), Check("loops", 2, 0))


def test_what_is_not_applicable_never_passes_and_fails_nothing():
    """Of two things that both must hold, one that is not applicable decides unless the other is worse than PASS."""
    none, passed, failed = (Finding(Verdict(v), v) for v in ("not applicable", "PASS", "FAIL"))
    assert worst([passed, none]) == none
    assert worst([failed, none]).verdict is Verdict.FAIL


def test_what_is_not_applicable_counts_neither_way_beside_others():
    """Among several things it is left out; where nothing else is there, it remains, and does not pass."""
    none, passed = (Finding(Verdict(v), v) for v in ("not applicable", "PASS"))
    assert applicable([none, passed]) == [passed]
    assert applicable([none]) == [none]
    assert worst(applicable([])).verdict is Verdict.INVALID


@pytest.mark.parametrize("figure", [math.nan, math.inf])
def test_a_figure_that_is_none_fails(figure):
    """Scores that are no numbers are a loss, not a doubt."""
    assert at_most(Interval(figure, figure, figure, 100), 0.02, "KLD").verdict is Verdict.FAIL
