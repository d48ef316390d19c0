import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from voiceperf.judge.regression import Change, change_of, judge_slowdown, required_pairs
from voiceperf.judge.statistics import Interval, ratio_interval
from voiceperf.judge.verdict import Verdict


def between(low, high, samples=18):
    return Interval((low + high) / 2, low, high, samples)


@pytest.mark.parametrize(
    ("interval", "change"),
    [
        (between(1.03, 1.08), Change.SLOWER),
        (between(1.01, 1.08), Change.UNCLEAR),
        (between(0.99, 1.01), Change.SAME),
        (between(0.90, 0.97), Change.FASTER),
        (between(0.90, 1.01), Change.UNCLEAR),
        (None, Change.UNCLEAR),
    ],
)
def test_change_is_clear_only_where_the_whole_interval_is(interval, change):
    """Slower, faster or the same within 2%: the interval must lie there whole."""
    assert change_of(interval, 0.02) is change


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        (between(0.90, 1.01), Verdict.PASS),
        (between(1.03, 1.08), Verdict.FAIL),
        (between(1.01, 1.08), Verdict.INCONCLUSIVE),
        (between(0.90, 1.01, samples=5), Verdict.INVALID),
        (None, Verdict.INVALID),
    ],
)
def test_slowdown_is_judged_by_the_whole_interval(interval, verdict):
    """PASS needs the whole interval below the threshold; thin data or none is INVALID."""
    assert judge_slowdown(interval, 0.02).verdict is verdict


def test_doubt_says_how_many_pairs_would_settle_it():
    """INCONCLUSIVE comes with the pairs there were and about how many would tell the threshold."""
    assert "18 pairs, about" in judge_slowdown(between(1.01, 1.08), 0.02).reason


def test_wider_confidence_asks_for_no_more_pairs():
    """The same pairs lead to the same number, at whatever confidence their interval was drawn."""
    pairs = {0: [(1.0, 1.0 + 0.02 * k) for k in range(-4, 9)]}
    reasons = [judge_slowdown(ratio_interval(pairs, confidence), 0.02).reason for confidence in (0.95, 0.986)]
    needed = [int(reason.split("about ")[1].split()[0]) for reason in reasons]
    assert needed[0] == pytest.approx(needed[1], rel=0.1)


@pytest.mark.parametrize(("effect", "spread"), [(0.05, 0.05), (0.10, 0.05), (0.05, 0.15)])
def test_required_pairs_have_the_power_they_promise(effect, spread):
    """With that many pairs, a t test finds the effect in about 80 of 100 trials; few pairs round up to more."""
    count = required_pairs(effect, spread)
    trials = np.random.default_rng(2).normal(np.log1p(effect), spread, (4000, count))
    assert 0.78 <= (ttest_1samp(trials, 0, axis=1).pvalue < 0.05).mean() <= 0.9


@given(st.floats(0.01, 0.5), st.floats(0.01, 0.3))
def test_smaller_effects_need_more_pairs(effect, spread):
    """Half the effect never takes fewer pairs."""
    assert required_pairs(effect / 2, spread) >= required_pairs(effect, spread)
