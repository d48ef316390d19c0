"""Looking more than once: how sure each look must be, so that all of them together keep the error rate.

A group-sequential test with a constant boundary (Pocock, "Group sequential methods in the design and analysis of
clinical trials", Biometrika 1977), here for looks at any planned number of rounds. The intervals at all looks then
hold at the same time with the stated confidence: they are repeated confidence intervals (Jennison & Turnbull, 1989),
so one may stop at any look, for any reason, before the last.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import scipy

_GRID = 801  # points across the continuation region; the constants of Pocock's table come out to three decimals


@cache
def look_confidence(looks: tuple[int, ...], confidence: float) -> float:
    """The confidence of each look's own interval, so that all looks together have `confidence`.

    Args:
        looks: how many rounds there are at each planned look, increasing.
        confidence: of all looks together, two-sided.
    """
    boundary = scipy.optimize.brentq(lambda z: _ever_beyond(z, looks) - (1 - confidence), 1.0, 6.0, xtol=1e-6)
    return 1 - 2 * float(scipy.stats.norm.sf(boundary))


def _ever_beyond(boundary: float, looks: tuple[int, ...]) -> float:
    """The chance that a random walk without drift leaves +-boundary standard deviations at any look.

    Recursive numerical integration (Armitage, McPherson & Rowe, 1969).
    """
    unit = np.linspace(-1, 1, _GRID)
    edge = boundary * np.sqrt(looks[0])
    places, density = unit * edge, scipy.stats.norm.pdf(unit * edge, scale=np.sqrt(looks[0]))
    for before, now in pairwise(looks):
        edge = boundary * np.sqrt(now)
        step = scipy.stats.norm.pdf(unit[:, None] * edge - places[None, :], scale=np.sqrt(now - before))
        density = np.trapezoid(step * density, places, axis=1)
        places = unit * edge
    return 1 - float(np.trapezoid(density, places))
