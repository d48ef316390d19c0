from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.statistics import (
    Interval,
    difference_interval,
    p_above,
    quantile_interval,
    ratio_interval,
    widened,
)


def noisy_pairs(ratio, spread, count, seed):
    """Pairs whose machine drifts by 2x while the ratio holds within the spread."""
    rng = np.random.default_rng(seed)
    drift = np.exp(rng.uniform(0, np.log(2), count))
    noise = np.exp(rng.normal(0, spread, (count, 2)))
    return list(zip(drift * noise[:, 0], drift * ratio * noise[:, 1], strict=True))


def covered(ratio, spread, count, trials=200):
    hits = 0
    for seed in range(trials):
        interval = ratio_interval({turn: noisy_pairs(ratio, spread, count, 100 * seed + turn) for turn in range(3)})
        hits += interval.low <= ratio <= interval.high
    return hits / trials


def test_identical_contenders_have_ratio_one():
    """Without a difference the interval holds 1 about as often as it promises, whatever the drift."""
    assert covered(1.0, 0.05, 6) >= 0.90


def test_known_shift_is_found():
    """A contender that is 20% faster is seen as such, through drift of 2x."""
    interval = ratio_interval({0: noisy_pairs(0.8, 0.03, 12, 1), 1: noisy_pairs(0.8, 0.03, 12, 2)})
    assert interval.estimate == pytest.approx(0.8, abs=0.02)
    assert interval.high < 0.85


def test_heavy_noise_widens_the_interval():
    """The same data with ten times the noise gives a wider interval that still covers."""
    calm = ratio_interval({0: noisy_pairs(1, 0.02, 12, 3)})
    wild = ratio_interval({0: noisy_pairs(1, 0.2, 12, 3)})
    assert wild.high - wild.low > 4 * (calm.high - calm.low)
    assert covered(1.0, 0.3, 6) >= 0.88


def test_nothing_measured_has_no_interval():
    """No input, or an input without a pair, is None and not a number."""
    assert ratio_interval({}) is None
    assert ratio_interval({1: [(1.0, 1.0)], 2: []}) is None
    assert quantile_interval([], 0.5) is None
    assert difference_interval([], [], []) is None
    assert difference_interval([(0, 0)], [0], ["a"]) is None


def test_single_pairs_do_not_look_certain():
    """One pair an input leaves the spread between inputs as the only measure of noise."""
    interval = ratio_interval({0: [(1.0, 0.5)], 1: [(1.0, 1.0)], 2: [(1.0, 2.0)]})
    assert interval.low < 0.7
    assert interval.high > 1.4


@given(st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=1, max_size=8))
def test_ratio_turns_over_with_its_sides(pairs):
    """Swapping baseline and candidate inverts the estimate."""
    forward = ratio_interval({0: pairs}).estimate
    backward = ratio_interval({0: [(b, a) for a, b in pairs]}).estimate
    assert forward * backward == pytest.approx(1)


@given(st.floats(1e-3, 1e3), st.lists(st.tuples(st.floats(0.1, 10), st.floats(0.1, 10)), min_size=2, max_size=8))
def test_ratio_has_no_unit(scale, pairs):
    """Milliseconds or nanoseconds: the interval is the same."""
    one = ratio_interval({0: pairs})
    other = ratio_interval({0: [(a * scale, b * scale) for a, b in pairs]})
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_estimates_are_repeatable():
    """The same samples give the same interval: the bootstrap is seeded."""
    pairs = {0: noisy_pairs(1, 0.1, 9, 4)}
    assert ratio_interval(pairs) == ratio_interval(pairs)


def test_median_survives_an_outlier():
    """One sample of a stalled machine moves the median by nothing."""
    assert quantile_interval([0.3, 0.31, 0.29, 0.3, 0.3, 9.0], 0.5).estimate == pytest.approx(0.3)


@pytest.mark.parametrize("count", [7, 12, 30])
def test_the_median_lies_between_two_values_as_often_as_is_said(count):
    """Order statistics hold for skewed figures too: the interval covers at least what was asked, and says what."""
    rng = np.random.default_rng(2)
    found = [quantile_interval(np.exp(rng.normal(0, 1, count)).tolist(), 0.5, 0.978) for _ in range(2000)]
    assert all(one.confidence >= 0.978 for one in found)
    assert np.mean([one.low <= 1 <= one.high for one in found]) >= found[0].confidence - 0.01


@pytest.mark.parametrize("count", [20, 70, 400])
def test_a_high_quantile_lies_between_two_values_as_often_as_is_said(count):
    """The 95th percentile as well; with few values the interval ends at the greatest, and says how sure it is."""
    rng = np.random.default_rng(3)
    found = [quantile_interval(rng.exponential(size=count).tolist(), 0.95) for _ in range(2000)]
    truth = -np.log(0.05)
    assert np.mean([one.low <= truth <= one.high for one in found]) == pytest.approx(found[0].confidence, abs=0.015)
    assert found[0].confidence >= (0.95 if count > 70 else 0.6)


def test_few_values_have_less_confidence():
    """Of three values the interval is all they span, and it holds the median three times in four."""
    found = quantile_interval([1.0, 3.0, 2.0], 0.5)
    assert (found.low, found.high, found.confidence) == (1.0, 3.0, 0.75)


def test_independent_doubts_add_in_squares():
    """An interval of 3% with a spread of 2% becomes one of 4.9%; without any it stays."""
    interval = Interval(1.0, float(np.exp(-0.03)), float(np.exp(0.03)), 10)
    assert widened(interval, 0.02).high == pytest.approx(np.exp(np.hypot(0.03, 1.96 * 0.02)), rel=1e-4)
    assert widened(interval, 0.0).high == pytest.approx(interval.high)


def test_speakers_are_drawn_whole():
    """Errors that all come from one speaker leave more doubt than the same errors spread over many."""
    errors = [(0, 1)] * 10 + [(0, 0)] * 90
    words = [5] * 100
    one_speaker = difference_interval(errors, words, ["bad"] * 10 + [f"s{n}" for n in range(90)])
    many = difference_interval(errors, words, [f"s{n}" for n in range(100)])
    assert one_speaker.estimate == many.estimate == pytest.approx(0.02)
    assert one_speaker.high > many.high


def test_few_pairs_cover_as_often_as_many():
    """With six pairs of one input the interval still holds the truth about as often as it says."""
    hits = 0
    for seed in range(400):
        interval = ratio_interval({0: noisy_pairs(1.0, 0.05, 6, seed)})
        hits += interval.low <= 1.0 <= interval.high
    assert hits / 400 >= 0.93


def test_stalled_run_moves_little():
    """One pair of ten that took three times as long does not make a contender slower."""
    pairs = noisy_pairs(1.0, 0.01, 9, 3)
    assert ratio_interval({0: [*pairs, (1.0, 3.0)]}).estimate == pytest.approx(1.0, abs=0.01)


def test_p_value_agrees_with_the_interval():
    """At the lower end of a 95% interval the one-sided p-value is 2.5%; far below it is nearly none."""
    interval = ratio_interval({0: noisy_pairs(1.2, 0.05, 20, 1)})
    middle = (interval.low * interval.high) ** 0.5
    assert p_above(replace(interval, estimate=middle), interval.low) == pytest.approx(0.025, abs=0.001)
    assert p_above(interval, 1.0) < 1e-4
    assert p_above(interval, 1.2) == pytest.approx(0.5, abs=0.45)
