"""Before measuring: what can be told apart on this machine, and how many pairs it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from voiceperf.judge.statistics import CONFIDENCE, TRIM, PairsByInput

POWER = 0.8  # the usual one (Cohen, 1988)
MIN_LAUNCHES = 3
_SURELY_SHARED = 0.01  # the F test's level: a suite has a dozen series, and each that it takes loses degrees of freedom


def required_pairs(effect: float, spread: float, power: float = POWER, confidence: float = CONFIDENCE) -> int:
    """How many pairs show a slowdown of `effect` (0.05 is 5%) where single log-ratios scatter by `spread`.

    The normal formula with Guenther's correction for an estimated spread ("Sample size formulas for normal theory
    t tests", The American Statistician, 1981).
    """
    alpha, beta = float(scipy.stats.norm.isf((1 - confidence) / 2)), float(scipy.stats.norm.isf(1 - power))
    return math.ceil(((alpha + beta) * spread / math.log1p(effect)) ** 2 + alpha**2 / 2)


@dataclass(frozen=True)
class Noise:
    """What identical code shows on one machine: the spread of pairs, and of whole launches beyond that.

    `launch_spread` is what no number of pairs within one launch removes, such as where a process's memory lies
    (Kalibera & Jones, 2013). What changes between days is not in it. `freedom` are the degrees of freedom behind it.
    """

    launches: int
    freedom: int
    pairs: int
    pair_spread: float
    launch_spread: float
    floor: float

    @property
    def launch_width(self) -> float:
        """Half the interval that launches alone put around the difference of two runs, in log-ratios."""
        return _width(self.freedom) * self.launch_spread

    def pairs_for(self, threshold: float) -> int | None:
        """How many pairs a launch bring the floor down to a threshold; None where no number does."""
        room = (math.log1p(threshold) / _width(self.freedom)) ** 2 - self.launch_spread**2
        return math.ceil(self.pair_spread**2 / room) if room > 0 else None


def noise_of(launches: Sequence[PairsByInput]) -> Noise | None:
    """The noise of identical code, from its pairs in several launches; None with fewer than three.

    The floor is the difference of two launches that identical code stays below 19 times out of 20: a t interval of a
    launch's mean. Each input of a launch is measured in processes of its own, so every one of them is a sample of what
    differs between processes. Where whole launches differ by more than that explains (F test), they are the samples.
    Inputs may have different ratios: only deviations from an input's own mean over all launches count.
    """
    if len(launches) < MIN_LAUNCHES:
        return None
    deviations = _deviations(launches)
    means = np.array([[scipy.stats.trim_mean(pairs, TRIM) for pairs in launch] for launch in deviations])
    variance, freedom = _variance_of_launch(means)
    pairs = min(sum(map(len, launch)) for launch in deviations)
    freedom_within = sum(len(pairs) - 1 for launch in deviations for pairs in launch)
    squares = sum(float(((pairs - pairs.mean()) ** 2).sum()) for launch in deviations for pairs in launch)
    within = squares / max(freedom_within, 1)
    floor = math.expm1(_width(freedom) * math.sqrt(variance))
    launch_spread = math.sqrt(max(variance - within / pairs, 0.0))
    return Noise(len(launches), freedom, pairs, math.sqrt(within), launch_spread, floor)


def _variance_of_launch(means: NDArray[np.float64]) -> tuple[float, int]:
    """The variance of a launch's mean and its degrees of freedom, from deviations by launch and input."""
    launches, inputs = means.shape
    freedom = launches - 1
    whole = inputs * float((means.mean(axis=1) ** 2).sum())  # sums of squares of a two-way table without repetition
    single = float((means**2).sum()) - whole
    if single > 0 and scipy.stats.f.sf(whole / single * (inputs - 1), freedom, freedom * (inputs - 1)) < _SURELY_SHARED:
        return whole / freedom / inputs, freedom
    return (whole + single) / (freedom * inputs) / inputs, freedom * inputs


def _deviations(launches: Sequence[PairsByInput]) -> list[list[NDArray[np.float64]]]:
    """By launch and input, the log-ratios less their input's mean over all launches."""
    logs = [{key: np.log([b / a for a, b in pairs]) for key, pairs in launch.items()} for launch in launches]
    centres = {key: np.mean([scipy.stats.trim_mean(launch[key], TRIM) for launch in logs]) for key in logs[0]}
    return [[launch[key] - centre for key, centre in centres.items()] for launch in logs]


def _width(freedom: int) -> float:
    """Half the interval for the difference of two launches, in standard deviations of a launch's mean."""
    return float(scipy.stats.t.ppf((1 + CONFIDENCE) / 2, freedom)) * math.sqrt(2)
