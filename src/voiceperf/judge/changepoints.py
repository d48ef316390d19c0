"""Where a history's level has shifted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import scipy
from numpy.typing import NDArray

MIN_RUNS = 4  # two before and two after: one run alone is no level
FALSE_LISTINGS = 0.01  # of steady listings, those in which a shift is seen that is none
_LEAST_SPREAD = 0.01  # in logs; repeated figures would otherwise make every per mille a shift


def change_points(values: Sequence[float], among: int = 1) -> list[int]:
    """The places at which a new level begins, in a series of positive figures in the order of time.

    PELT on logarithms (Killick, Fearnhead & Eckley, "Optimal detection of changepoints with a linear computational
    cost", 2012) proposes places; its cost is the distance from the level's median, so that a single slow run is no
    level. A place stays if the levels beside it differ by a t test, at `FALSE_LISTINGS` over every place of every
    series (Bonferroni), because the places were chosen by looking.

    Args:
        values: the figures.
        among: how many series are looked at together.
    """
    if len(values) < MIN_RUNS:
        return []
    import ruptures  # half a second and 70 MB that only a history needs

    logs = np.log(np.asarray(values, dtype=float))
    penalty = 3 * np.log(len(logs)) * _spread(logs)
    ends: list[int] = ruptures.Pelt(model="l1", min_size=2, jump=1).fit_predict(logs.reshape(-1, 1), penalty)
    found, least_p = ends[:-1], FALSE_LISTINGS / len(logs) / among
    while found:
        doubts = [_p_of_shift(logs, found, place) for place in range(len(found))]
        if max(doubts) <= least_p:
            break
        del found[int(np.argmax(doubts))]
    return found


def _p_of_shift(logs: NDArray[np.float64], found: Sequence[int], place: int) -> float:
    """How likely the levels before and after a place differ so by chance; the spread is that of all levels."""
    starts = [0, *found, len(logs)]
    levels = [logs[start:end] for start, end in pairwise(starts)]
    freedom = len(logs) - len(levels)
    spread = max(float(np.sqrt(sum(((level - level.mean()) ** 2).sum() for level in levels) / freedom)), _LEAST_SPREAD)
    before, after = levels[place], levels[place + 1]
    t = abs(after.mean() - before.mean()) / (spread * np.sqrt(1 / len(before) + 1 / len(after)))
    return float(2 * scipy.stats.t.sf(t, freedom))


def _spread(logs: NDArray[np.float64]) -> float:
    """Robust standard deviation around the level, from neighbours' differences, which do not see the shifts."""
    steps = np.diff(logs)
    return max(float(np.median(np.abs(steps - np.median(steps)))) * 1.4826 / float(np.sqrt(2)), _LEAST_SPREAD)
