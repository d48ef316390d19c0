"""Where a history's level has shifted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import ruptures
from numpy.typing import NDArray

MIN_RUNS = 4  # two before and two after: one run alone is no level
_LEAST_SPREAD = 0.01  # in logs; repeated figures would otherwise make every per mille a shift


def change_points(values: Sequence[float]) -> list[int]:
    """The places at which a new level begins, in a series of positive figures in the order of time.

    PELT with a quadratic cost on logarithms (Killick, Fearnhead & Eckley, "Optimal detection of changepoints with a
    linear computational cost", 2012) and a penalty of 3 log n in units of the variance, which is estimated from the
    differences of neighbours and so does not see the shifts.
    """
    if len(values) < MIN_RUNS:
        return []
    logs = np.log(np.asarray(values, dtype=float))
    penalty = 3 * np.log(len(logs)) * _spread(logs) ** 2
    ends: list[int] = ruptures.Pelt(model="l2", min_size=2, jump=1).fit_predict(logs.reshape(-1, 1), penalty)
    return ends[:-1]


def _spread(logs: NDArray[np.float64]) -> float:
    """Robust standard deviation of neighbours' differences (median absolute deviation, scaled to the normal's)."""
    steps = np.diff(logs)
    return max(float(np.median(np.abs(steps - np.median(steps)))) * 1.4826 / float(np.sqrt(2)), _LEAST_SPREAD)
