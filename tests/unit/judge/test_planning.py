import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_1samp

from voiceperf.judge.planning import Noise, noise_of, required_pairs


def launches(process_spread, pair_spread, *, count=8, inputs=4, pairs=6, shared_spread=0.0, seed=1):
    """Launches whose processes, one for each input, differ; and, where shared, whole launches do."""
    rng = np.random.default_rng(seed)

    def one(shared):
        levels = np.arange(inputs) + shared + rng.normal(0, process_spread, inputs)
        ratios = np.exp(levels[:, None] + rng.normal(0, pair_spread, (inputs, pairs)))
        return {turn: [(1.0, float(ratio)) for ratio in row] for turn, row in enumerate(ratios)}

    return [one(shared) for shared in rng.normal(0, shared_spread, count)]


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
    noise = noise_of(launches(process_spread=0.06, pair_spread=0.02, count=60))
    assert noise.pair_spread == pytest.approx(0.02, rel=0.1)
    assert noise.launch_spread == pytest.approx(0.06 / np.sqrt(4), rel=0.15)
    assert (noise.launches, noise.freedom, noise.pairs) == (60, 4 * 59, 24)


def test_launches_that_differ_as_a_whole_are_the_samples():
    """What the processes of a launch have in common is not averaged away by their number, and has fewer degrees."""
    noise = noise_of(launches(process_spread=0.01, pair_spread=0.02, count=30, shared_spread=0.05))
    assert noise.launch_spread == pytest.approx(0.05, rel=0.3)
    assert noise.freedom == 29


def test_floor_bounds_the_difference_of_two_launches():
    """Two further launches of the same machine differ by more than the floor about once in twenty times."""
    rng = np.random.default_rng(3)
    exceeded = []
    for seed in range(400):
        floor = noise_of(launches(0.04, 0.03, count=3, seed=seed)).floor
        first, second = (rng.normal(0, 0.04, 4).mean() + rng.normal(0, 0.03, 24).mean() for _ in range(2))
        exceeded.append(abs(np.expm1(second - first)) > floor)
    assert np.mean(exceeded) == pytest.approx(0.05, abs=0.03)


def test_a_stalled_run_does_not_raise_the_floor():
    """One pair of six that takes ten times as long is an outlier and no information."""
    made = launches(0.01, 0.01, count=4, inputs=3)
    calm = noise_of(made)
    made[1][2][3] = (1.0, 10 * made[1][2][3][1])
    assert noise_of(made).floor == pytest.approx(calm.floor, rel=0.3)


def test_more_pairs_bring_the_floor_down_only_as_far_as_launches_allow():
    """Noise of pairs can be averaged away, noise of launches cannot."""
    quiet = Noise(launches=8, freedom=7, pairs=6, pair_spread=0.05, launch_spread=0.0, floor=0.07)
    assert 6 < quiet.pairs_for(0.02) < 1000
    drifting = Noise(launches=8, freedom=7, pairs=6, pair_spread=0.05, launch_spread=0.02, floor=0.10)
    assert drifting.pairs_for(0.02) is None


def test_two_launches_are_too_few():
    """With fewer than three launches there is no noise floor."""
    assert noise_of(launches(0.01, 0.01)[:2]) is None
