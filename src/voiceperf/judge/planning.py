"""Before measuring: what can be told apart on this machine, and how many pairs it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from voiceperf.judge.statistics import CONFIDENCE, PairsByInput

POWER = 0.8  # the usual one (Cohen, 1988)
MIN_LAUNCHES = 3


def required_pairs(effect: float, spread: float, power: float = POWER, confidence: float = CONFIDENCE) -> int:
    """How many pairs show a slowdown of `effect` (0.05 is 5%) where single log-ratios scatter by `spread`.

    The normal formula with Guenther's correction for an estimated spread ("Sample size formulas for normal theory
    t tests", The American Statistician, 1981).
    """
    alpha, beta = float(norm.isf((1 - confidence) / 2)), float(norm.isf(1 - power))
    return math.ceil(((alpha + beta) * spread / math.log1p(effect)) ** 2 + alpha**2 / 2)


@dataclass(frozen=True)
class Noise:
    """What identical code shows on one machine: the spread of pairs, and of whole launches beyond that.

    `launch_spread` is what no number of pairs within one launch removes, such as where a process's memory lies
    (Kalibera & Jones, 2013). What changes between days is not in it.
    """

    launches: int
    pairs: int
    pair_spread: float
    launch_spread: float
    floor: float

    @property
    def launch_width(self) -> float:
        """Half the interval that launches alone put around the difference of two runs, in log-ratios."""
        return _width(self.launches) * self.launch_spread

    def pairs_for(self, threshold: float) -> int | None:
        """How many pairs a launch bring the floor down to a threshold; None where no number does."""
        room = (math.log1p(threshold) / _width(self.launches)) ** 2 - self.launch_spread**2
        return math.ceil(self.pair_spread**2 / room) if room > 0 else None


def noise_of(launches: Sequence[PairsByInput]) -> Noise | None:
    """The noise of identical code, from its pairs in several launches; None with fewer than three.

    The floor is the difference of two launches that identical code stays below 19 times out of 20 (a t interval
    of the launches' means). Inputs may have different ratios: only deviations from an input's own mean count.
    """
    if len(launches) < MIN_LAUNCHES:
        return None
    deviations = _deviations(launches)
    means = np.array([launch.mean() for launch in deviations])
    pairs = min(map(len, deviations))
    within = float(np.mean([np.var(launch, ddof=1) for launch in deviations]))
    between = float(np.var(means, ddof=1))
    floor = math.expm1(_width(len(launches)) * math.sqrt(between))
    return Noise(len(launches), pairs, math.sqrt(within), math.sqrt(max(between - within / pairs, 0.0)), floor)


def _deviations(launches: Sequence[PairsByInput]) -> list[NDArray[np.float64]]:
    """Each launch's log-ratios, less their input's mean over all launches."""
    logs = [{key: np.log([b / a for a, b in pairs]) for key, pairs in launch.items()} for launch in launches]
    centres = {key: np.concatenate([launch[key] for launch in logs]).mean() for key in logs[0]}
    return [np.concatenate([launch[key] - centre for key, centre in centres.items()]) for launch in logs]


def _width(launches: int) -> float:
    """Half the interval for the difference of two launches, in standard deviations of a launch's mean."""
    return float(t.ppf((1 + CONFIDENCE) / 2, launches - 1)) * math.sqrt(2)
