import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.noise import NOTHING, Noise, Variance, change_of_runs, least_seen, noise_of, pooled

CALM = Noise(Variance(0.0004, 100), Variance(0.0001, 60), Variance(0.0001, 30))


def launched(rng, *, process=0.0, pair=0.02, launch=0.0, effect=1.0, inputs=4, pairs=6):
    """One run: each input has a ratio of its own, measured by a process of its own."""
    levels = np.arange(inputs) + np.log(effect) + rng.normal(0, launch) + rng.normal(0, process, inputs)
    ratios = np.exp(levels[:, None] + rng.normal(0, pair, (inputs, pairs)))
    return {turn: [(1.0, float(ratio)) for ratio in row] for turn, row in enumerate(ratios)}


def launches(count, seed=1, **spreads):
    rng = np.random.default_rng(seed)
    return [launched(rng, **spreads) for _ in range(count)]


def test_pairs_processes_and_launches_are_told_apart():
    """Each of the three spreads is found again, whatever ratios the inputs have."""
    found = noise_of(launches(300, process=0.04, pair=0.05, launch=0.06))
    assert np.sqrt(found.pair.value) == pytest.approx(0.05, rel=0.1)
    assert np.sqrt(found.process.value) == pytest.approx(0.04, rel=0.1)
    assert np.sqrt(found.launch.value) == pytest.approx(0.06, rel=0.1)
    assert (found.process.freedom, found.launch.freedom) == (3 * 299, 299)


def test_a_stalled_run_is_no_noise():
    """One pair of six that takes ten times as long is an outlier and no information."""
    made = launches(4, pair=0.01)
    calm = noise_of(made)
    made[1][2][3] = (1.0, 10 * made[1][2][3][1])
    assert noise_of(made).pair.value == pytest.approx(calm.pair.value, rel=0.5)
    assert noise_of(made).process.value < 0.02**2


@pytest.mark.parametrize("runs", [[], launches(1), [*launches(1), {9: [(1.0, 1.0)]}], [*launches(1), {}]])
def test_one_launch_or_unlike_inputs_show_no_noise(runs):
    """What differs needs two of the same."""
    assert noise_of(runs) is None


def test_single_pairs_count_with_the_processes():
    """Where each input has one pair, what differs is the processes', and nothing is lost."""
    found = noise_of(launches(200, pair=0.05, pairs=1))
    assert found.pair == NOTHING
    assert np.sqrt(found.process.value) == pytest.approx(0.05, rel=0.1)


def test_estimates_weigh_by_their_degrees_of_freedom():
    """Thirty launches of 1% and ten of 3% are forty launches in between."""
    more = Noise(NOTHING, NOTHING, Variance(0.09, 10))
    both = pooled([Noise(NOTHING, NOTHING, Variance(0.01, 30)), more])
    assert both.launch == Variance(pytest.approx(0.03), 40)
    assert both.pair == NOTHING


@pytest.mark.parametrize("inputs", [1, 3, 7])
@pytest.mark.parametrize("launch", [0.0, 0.02, 0.05])
def test_a_change_of_nothing_lies_in_the_interval(inputs, launch):
    """Two runs of the same code, launches 0 to 5% apart, of unsteady processes: 95% of intervals hold no change."""
    rng = np.random.default_rng(5)
    missed = 0
    for _ in range(200):
        before, after = (launched(rng, process=0.03, launch=launch, inputs=inputs) for _ in range(2))
        interval = change_of_runs(before, after)
        missed += not interval.low <= 1 <= interval.high
    assert missed / 200 <= 0.06


def test_a_known_change_is_found():
    """A run that takes a fifth longer: up; turned round: down."""
    rng = np.random.default_rng(3)
    before, after = launched(rng), launched(rng, effect=1.2)
    assert change_of_runs(before, after).estimate == pytest.approx(1.2, abs=0.03)
    assert change_of_runs(after, before).estimate == pytest.approx(1 / 1.2, abs=0.03)


def test_a_machine_known_to_be_calm_sees_more():
    """Runs that came out alike before make the interval narrower than what is usual elsewhere."""
    rng = np.random.default_rng(3)
    before, after = launched(rng), launched(rng)
    alone, known = change_of_runs(before, after), change_of_runs(before, after, [CALM])
    assert np.log(known.high / known.low) < np.log(alone.high / alone.low) / 2


def test_other_inputs_are_no_change():
    """An input of only one run leaves nothing to say."""
    rng = np.random.default_rng(3)
    assert change_of_runs(launched(rng), launched(rng, inputs=3)) is None
    assert change_of_runs({}, {}) is None


@given(st.floats(0.0, 0.2), st.floats(0.0, 0.2))
def test_more_noise_never_sees_more(launch, more):
    """Where launches differ by more, only larger slowdowns would have been seen."""
    rng = np.random.default_rng(3)
    before, after = launched(rng), launched(rng)
    calm, loud = (Noise(NOTHING, NOTHING, Variance(spread**2, 6)) for spread in (launch, launch + more))
    seen = [least_seen(change_of_runs(before, after, [noise]), 0.03, 0.025) for noise in (calm, loud)]
    assert seen[0] <= seen[1] * 1.0001
    assert seen[0] > 0.03


def test_what_would_have_been_seen_is_seen_19_times_in_20():
    """A slowdown as large as was said lies beyond the tolerance at least so often, and a third less does not."""
    rng = np.random.default_rng(11)
    spreads = {"process": 0.01, "launch": 0.05}
    said = [least_seen(change_of_runs(launched(rng, **spreads), launched(rng, **spreads)), 0.03, 0.025)
            for _ in range(200)]  # fmt: skip

    def found(effect):
        pairs = [(launched(rng, **spreads), launched(rng, **spreads, effect=effect)) for _ in range(200)]
        return np.mean([change_of_runs(*both).low > 1.03 for both in pairs])

    assert found(1 + np.median(said)) >= 0.93
    assert found(1 + np.median(said) * 2 / 3) <= 0.9
