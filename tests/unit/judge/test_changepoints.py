import numpy as np
import pytest

from voiceperf.judge.changepoints import change_points


def history(levels, spread, seed=1):
    rng = np.random.default_rng(seed)
    return [float(level * np.exp(x)) for level, x in zip(levels, rng.normal(0, spread, len(levels)), strict=True)]


def test_level_history_has_no_change_point():
    """Of 100 steady listings of five histories, hardly one shows a shift."""
    shown = [
        any(change_points(history([1.0] * 12, 0.03, 5 * listing + one), among=5) for one in range(5))
        for listing in range(100)
    ]
    assert sum(shown) <= 3


def test_the_more_histories_the_surer_a_shift_must_be():
    """What is a shift in a history looked at alone may be chance among a thousand."""
    values = history([1.0] * 8 + [1.12] * 3, 0.03)
    assert change_points(values) == [8]
    assert change_points(values, among=1000) == []


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
