import pytest

from voiceperf.judge.planning import Noise
from voiceperf.judge.regression import Change, change_of, judge_slowdown
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


def test_threshold_below_the_noise_floor_is_refused():
    """The refusal says the floor, and how many pairs would reach the threshold."""
    noise = Noise(launches=8, freedom=7, pairs=6, pair_spread=0.05, launch_spread=0.0, floor=0.07)
    finding = judge_slowdown(between(0.9, 0.95), 0.02, noise)
    assert finding.verdict is Verdict.INVALID
    assert "2.0% is below the noise floor of 7.0%" in finding.reason
    assert f"{noise.pairs_for(0.02)} pairs a launch would be needed, there were 6" in finding.reason


def test_threshold_that_no_number_of_pairs_reaches_names_the_duel():
    """Where launches themselves differ too much, the refusal points to the comparison side by side."""
    noise = Noise(launches=8, freedom=7, pairs=6, pair_spread=0.05, launch_spread=0.05, floor=0.2)
    assert "--baseline-rev" in judge_slowdown(between(0.9, 0.95), 0.02, noise).reason


def test_threshold_above_the_floor_is_judged():
    """A floor below the threshold changes nothing."""
    noise = Noise(launches=8, freedom=7, pairs=6, pair_spread=0.01, launch_spread=0.0, floor=0.01)
    assert judge_slowdown(between(0.9, 0.95), 0.02, noise).verdict is Verdict.PASS


def test_doubt_says_how_many_pairs_would_settle_it():
    """INCONCLUSIVE comes with the pairs there were and about how many would tell the threshold."""
    assert "18 pairs, about" in judge_slowdown(between(1.01, 1.08), 0.02).reason


def test_doubt_between_two_runs_points_to_the_duel():
    """Where launches differ, no number of pairs is promised: the way out is the comparison side by side."""
    noise = Noise(launches=3, freedom=12, pairs=42, pair_spread=0.05, launch_spread=0.02, floor=0.05)
    reason = judge_slowdown(between(0.99, 1.12), 0.1, noise).reason
    assert "--baseline-rev" in reason
    assert "pairs" not in reason


def test_wider_confidence_asks_for_no_more_pairs():
    """The same pairs lead to the same number, at whatever confidence their interval was drawn."""
    pairs = {0: [(1.0, 1.0 + 0.02 * k) for k in range(-4, 9)]}
    reasons = [judge_slowdown(ratio_interval(pairs, confidence), 0.02).reason for confidence in (0.95, 0.986)]
    needed = [int(reason.split("about ")[1].split()[0]) for reason in reasons]
    assert needed[0] == pytest.approx(needed[1], rel=0.1)
