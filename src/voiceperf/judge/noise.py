"""How far apart two runs of identical code come out. One model gives the interval, the alarm and what it could see.

A run's mean log-ratio varies by its pairs, by the processes that measured each input, and as a whole, from one launch
of the run to another. Each is a variance with its degrees of freedom; the interval has theirs after Satterthwaite.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

from voiceperf.judge.statistics import CONFIDENCE, TRIM, Interval, PairsByInput

POWER = 0.95  # "would have been seen 19 times in 20"
_SITTING_FREEDOM = 2.0  # degrees of freedom of three launches


@dataclass(frozen=True)
class Variance:
    """Of log-ratios, and the degrees of freedom behind it."""

    value: float
    freedom: float


NOTHING = Variance(0.0, 0.0)
USUAL_LAUNCH = Variance(0.05**2, 4.0)
"""What whole runs of the same engines differed by, hours apart, beyond what is in them: docs/FINDINGS.md, Noise.

It counts as much as five runs, until a machine has more of its own (the inverse chi-square prior of Smyth, "Linear
models and empirical Bayes methods for assessing differential expression", 2004).
"""


@dataclass(frozen=True)
class Noise:
    """What identical code shows: a single pair, processes beyond pairs, whole launches beyond processes."""

    pair: Variance
    process: Variance
    launch: Variance


def noise_of(launches: Sequence[PairsByInput]) -> Noise | None:
    """The three variances from identical code, launched again and again; None with one launch, or with unlike inputs.

    A two-way analysis of variance of the trimmed means by launch and input: what inputs differ by is not noise, what
    is left beside launches and inputs is that of processes and pairs. A component below zero counts as none.
    """
    inputs = list(launches[0]) if launches else []
    if (
        len(launches) < 2
        or not inputs
        or any(set(launch) != set(inputs) or not all(launch.values()) for launch in launches)
    ):
        return None
    logs = [[np.log([b / a for a, b in launch[key]]) for key in inputs] for launch in launches]
    pair = _of_pairs([one for launch in logs for one in launch])
    within = pair.value * float(np.mean([1 / len(one) for launch in logs for one in launch]))
    means = np.array([[scipy.stats.trim_mean(one, TRIM) for one in launch] for launch in logs])
    deviations = means - means.mean(axis=0)
    freedom = len(launches) - 1
    whole = len(inputs) * float((deviations.mean(axis=1) ** 2).sum())
    freedom_left = freedom * (len(inputs) - 1)
    left = (float((deviations**2).sum()) - whole) / freedom_left if freedom_left else within
    process = Variance(max(left - within, 0.0), freedom_left)
    return Noise(pair, process, Variance(max(whole / freedom - left, 0.0) / len(inputs), freedom))


def of_one_sitting(noise: Noise) -> Noise:
    """What launches one after the other show: however many, of how hours differ they say no more than three would.

    They share their hour. Counted in full, twenty of them made intervals between runs of other hours miss the truth in
    27% of simulated comparisons, and three in 5%, where runs were 5% apart.
    """
    return replace(noise, launch=replace(noise.launch, freedom=min(noise.launch.freedom, _SITTING_FREEDOM)))


def pooled(found: Iterable[Noise]) -> Noise:
    """Several estimates as one, each variance weighed by its degrees of freedom."""
    known = list(found)
    return Noise(
        _pooled(one.pair for one in known),
        _pooled(one.process for one in known),
        _pooled(one.launch for one in known),
    )


def change_of_runs(before: PairsByInput, after: PairsByInput, known: Iterable[Noise] = ()) -> Interval | None:
    """How a run's ratio has changed since another, with all that identical code differs by in its interval.

    Args:
        before: (reference, candidate) times by input.
        after: the same of the later run.
        known: what other runs of identical code on this machine have shown.

    Returns:
        None where the two runs do not have the same inputs.
    """
    own = noise_of([before, after])
    if own is None:
        return None
    noise = pooled([*known, Noise(own.pair, own.process, NOTHING)])  # between these two, the launch is what is asked
    launch = _pooled([noise.launch, USUAL_LAUNCH])
    inputs = len(before)
    shares = sum(1 / len(pairs) for run in (before, after) for pairs in run.values()) / inputs**2
    parts = [
        Variance(noise.pair.value * shares, noise.pair.freedom),
        Variance(noise.process.value * 2 / inputs, noise.process.freedom),
        Variance(launch.value * 2, launch.freedom),
    ]
    variance = sum(part.value for part in parts)
    freedom = variance**2 / sum(part.value**2 / part.freedom for part in parts if part.freedom)
    centre = _centre(after) - _centre(before)
    half = float(scipy.stats.t.isf((1 - CONFIDENCE) / 2, freedom)) * math.sqrt(variance)
    samples = min(sum(map(len, run.values())) for run in (before, after))
    return Interval(math.exp(centre), math.exp(centre - half), math.exp(centre + half), samples, freedom)


def least_seen(interval: Interval, tolerance: float, level: float) -> float:
    """The slowdown that would have been found above a tolerance 19 times in 20, as a share (0.09 is 9%).

    Args:
        interval: of the change that was measured.
        tolerance: how much slower is still as good.
        level: the one-sided error rate at which an alarm is raised.
    """
    half = math.log(interval.high / interval.low) / 2
    error = half / float(scipy.stats.t.isf((1 - interval.confidence) / 2, interval.freedom))
    reach = sum(float(scipy.stats.t.isf(tail, interval.freedom)) for tail in (level, 1 - POWER))
    return (1 + tolerance) * math.exp(reach * error) - 1


def _centre(run: PairsByInput) -> float:
    return float(np.mean([scipy.stats.trim_mean(np.log([b / a for a, b in pairs]), TRIM) for pairs in run.values()]))


def _of_pairs(groups: Sequence[NDArray[np.float64]]) -> Variance:
    """Of a single pair, so that over n it is that of their trimmed mean: by winsorised deviations (Yuen, 1974)."""
    found = []
    for logs in groups:
        count, cut = len(logs), int(TRIM * len(logs))
        kept = count - 2 * cut
        if kept > 1:
            values = np.sort(logs)
            values = np.clip(values, values[cut], values[count - 1 - cut])
            squares = float(((values - values.mean()) ** 2).sum())
            found.append(Variance(squares * count / kept / (kept - 1), kept - 1))
    return _pooled(found)


def _pooled(found: Iterable[Variance]) -> Variance:
    known = list(found)
    freedom = sum(one.freedom for one in known)
    return Variance(sum(one.value * one.freedom for one in known) / freedom, freedom) if freedom else NOTHING
