import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from voiceperf.judge.planning import Noise, noise_of, required_pairs


def launches(launch_spread, pair_spread, count=8, pairs=12, seed=1):
    rng = np.random.default_rng(seed)
    shifts = rng.normal(0, launch_spread, count)
    return [
        {turn: [(1.0, float(np.exp(turn + shift + x))) for x in rng.normal(0, pair_spread, pairs)] for turn in (1, 2)}
        for shift in shifts
    ]


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


def test_noise_is_split_into_pairs_and_launches():
    """What varies within a launch and what varies between launches are told apart, whatever the inputs' ratios."""
    noise = noise_of(launches(launch_spread=0.03, pair_spread=0.02, count=60))
    assert noise.pair_spread == pytest.approx(0.02, rel=0.1)
    assert noise.launch_spread == pytest.approx(0.03, rel=0.25)
    assert (noise.launches, noise.pairs) == (60, 24)


def test_floor_bounds_the_difference_of_two_launches():
    """Two further launches of the same machine differ by more than the floor about once in twenty times."""
    rng = np.random.default_rng(3)
    exceeded = []
    for seed in range(300):
        floor = noise_of(launches(0.02, 0.03, count=6, seed=seed)).floor
        first, second = (rng.normal(0, 0.02) + rng.normal(0, 0.03, 24).mean() for _ in range(2))
        exceeded.append(abs(np.expm1(second - first)) > floor)
    assert np.mean(exceeded) == pytest.approx(0.05, abs=0.03)


def test_more_pairs_bring_the_floor_down_only_as_far_as_launches_allow():
    """Noise of pairs can be averaged away, noise of launches cannot."""
    quiet = Noise(launches=8, pairs=6, pair_spread=0.05, launch_spread=0.0, floor=0.07)
    assert 6 < quiet.pairs_for(0.02) < 1000
    drifting = Noise(launches=8, pairs=6, pair_spread=0.05, launch_spread=0.02, floor=0.10)
    assert drifting.pairs_for(0.02) is None


def test_two_launches_are_too_few():
    """With fewer than three launches there is no noise floor."""
    assert noise_of(launches(0.01, 0.01)[:2]) is None
