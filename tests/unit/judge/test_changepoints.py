import numpy as np
import pytest

from voiceperf.judge.changepoints import change_points


def history(levels, spread, seed=1):
    rng = np.random.default_rng(seed)
    return [float(level * np.exp(x)) for level, x in zip(levels, rng.normal(0, spread, len(levels)), strict=True)]


def test_level_history_has_no_change_point():
    """Over 100 histories of 20 runs without a shift, a shift is seen in few."""
    found = [bool(change_points(history([1.0] * 20, 0.03, seed))) for seed in range(100)]
    assert sum(found) <= 10


def test_known_shift_is_found_where_it_is():
    """A level that rises by a fifth after ten runs is found at the eleventh."""
    assert change_points(history([1.0] * 10 + [1.2] * 10, 0.03)) == [10]


def test_heavy_noise_hides_a_small_shift():
    """A rise of 5% within noise of 30% is not claimed."""
    assert change_points(history([1.0] * 10 + [1.05] * 10, 0.3)) == []


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [1.0, 1.0, 2.0]])
def test_short_histories_have_no_level(values):
    """Fewer than four runs show no change point."""
    assert change_points(values) == []


def test_single_outlier_is_no_level():
    """One slow run among steady ones is not a new level."""
    assert change_points([1.0, 1.01, 0.99, 1.0, 1.6, 1.0, 1.01, 0.99, 1.0, 1.0]) == []
