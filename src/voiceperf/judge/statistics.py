"""Estimates with intervals from paired samples. Pure and seeded."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy
from numpy.typing import NDArray

RESAMPLES = 4000  # enough for the 2.5% tail to be steady in its third digit (Efron & Tibshirani 1993, ch. 14)
SEED = 61
CONFIDENCE = 0.95
TRIM = 0.2  # of each end, where an input has five pairs or more (Wilcox, "Robust Estimation", 2017, ch. 3)


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval, and how many samples stand behind it."""

    estimate: float
    low: float
    high: float
    samples: int
    freedom: float = math.inf  # degrees of freedom behind the interval's width
    confidence: float = CONFIDENCE


PairsByInput = Mapping[int, Sequence[tuple[float, float]]]
"""For each input its (baseline, candidate) times, any unit, all above zero."""


def ratio_interval(pairs_by_input: PairsByInput, confidence: float = CONFIDENCE, seed: int = SEED) -> Interval | None:
    """The geometric mean of candidate / baseline over inputs, each input counting the same.

    Percentile bootstrap of the residuals of paired log-ratios around their input's centre, pooled over inputs
    (Efron & Tibshirani 1993, ch. 9 and 13; ratios rather than differences after Kalibera & Jones, "Rigorous
    Benchmarking in Reasonable Time", 2013). The centre is a trimmed mean, because a stalled run is an outlier
    and no information (Yuen, "The two-sample trimmed t for unequal population variances", 1974). Pooling keeps
    inputs with few pairs from looking certain; an input with a single pair counts its distance from the other
    inputs as noise, which only widens the interval.

    Args:
        pairs_by_input: what was measured.
        confidence: of the two-sided interval.
        seed: of the resampling.

    Returns:
        None where an input has no pair: what was not measured has no ratio.
    """
    if not pairs_by_input or not all(pairs_by_input.values()):
        return None
    log_ratios = [np.log(np.divide(*reversed(np.asarray(pairs, dtype=float).T))) for pairs in pairs_by_input.values()]
    centres = [float(scipy.stats.trim_mean(ratios, TRIM)) for ratios in log_ratios]
    centre = float(np.mean(centres))
    noise = np.concatenate([_residuals(*both, centre) for both in zip(log_ratios, centres, strict=True)])
    rng = np.random.default_rng(seed)
    means = centre + np.mean([_resampled_centres(noise, len(ratios), rng) for ratios in log_ratios], axis=0)
    freedom = max(sum(len(ratios) - 1 for ratios in log_ratios) or len(log_ratios) - 1, 1)
    # the percentile interval, stretched as Student's t is wider than the normal: without it, intervals from few pairs
    # cover less often than they say (Hesterberg, "What Teachers Should Know About the Bootstrap", 2015, section 3.3)
    tail = (1 - confidence) / 2
    stretch = scipy.stats.t.isf(tail, freedom) / scipy.stats.norm.isf(tail)
    low, high = (centre + (end - centre) * stretch for end in _percentile_interval(means, confidence))
    estimate, low, high = (float(np.exp(value)) for value in (centre, low, high))
    return Interval(estimate, low, high, len(noise), freedom, confidence)


def interval_of_launches(launches: Sequence[PairsByInput], confidence: float = CONFIDENCE) -> Interval | None:
    """The same ratio, where processes are part of the sample: how far it goes from launch to launch is its error.

    Identical code differs by some per cent from process to process, which no number of pairs within one launch shows
    (Kalibera & Jones, 2013). The centre is that of `ratio_interval`, over the pairs of all launches; its standard error
    is the delete-one-launch jackknife (Efron & Tibshirani 1993, ch. 11), with Student's t of as many degrees of freedom
    as there are launches, less one.

    Returns:
        None with fewer than two launches, or where an input has no pair without one of them.
    """
    kept = [[other for other in launches if other is not one] for one in launches]
    centres = [_centre_of_launches(some) for some in [launches, *kept]]
    if len(launches) < 2 or None in centres:
        return None
    centre, *without = np.array(centres, dtype=float)
    count = len(launches)
    error = math.sqrt((count - 1) / count * float(((without - np.mean(without)) ** 2).sum()))
    half = float(scipy.stats.t.isf((1 - confidence) / 2, count - 1)) * error
    estimate, low, high = (float(np.exp(value)) for value in (centre, centre - half, centre + half))
    samples = sum(len(pairs) for launch in launches for pairs in launch.values())
    return Interval(estimate, low, high, samples, count - 1, confidence)


def _centre_of_launches(launches: Sequence[PairsByInput]) -> float | None:
    """The mean over inputs of the trimmed mean of their log-ratios."""
    inputs = {key for launch in launches for key in launch}
    pairs = [[pair for launch in launches for pair in launch.get(key, ())] for key in inputs]
    if not pairs or not all(pairs):
        return None
    return float(np.mean([scipy.stats.trim_mean(np.log([b / a for a, b in some]), TRIM) for some in pairs]))


def _residuals(log_ratios: NDArray[np.float64], own: float, common: float) -> NDArray[np.float64]:
    """Deviations from the input's own centre, scaled to the spread they estimate."""
    count = len(log_ratios)
    if count == 1:
        return log_ratios - common
    deviations: NDArray[np.float64] = (log_ratios - own) * np.sqrt(count / (count - 1))
    return deviations


def _resampled_centres(noise: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    resampled = noise[rng.integers(0, len(noise), (RESAMPLES, count))]
    return np.asarray(scipy.stats.trim_mean(resampled, TRIM, axis=1))


def quantile_interval(values: Sequence[float], share: float, confidence: float = CONFIDENCE) -> Interval | None:
    """A quantile, as 0.5 is the median, with an interval between two of the values, whatever their distribution.

    Order statistics (Hahn & Meeker, "Statistical Intervals", 1991, ch. 5). Too few values cannot have an interval of
    the confidence that is asked for: it then ends at the least or at the greatest, and its own confidence says so.

    Returns:
        None without values.
    """
    if not values:
        return None
    ordered, count, tail = np.sort(np.asarray(values, dtype=float)), len(values), (1 - confidence) / 2
    below = scipy.stats.binom(count, share)  # how many of them lie below the quantile
    first = max(int(below.ppf(tail)), 1)
    last = min(int(below.ppf(1 - tail)) + 1, count)
    between = float(below.cdf(last - 1) - below.cdf(first - 1))
    low, high = float(ordered[first - 1]), float(ordered[last - 1])
    return Interval(float(np.quantile(ordered, share)), low, high, count, confidence=between)


def widened(interval: Interval, spread: float) -> Interval:
    """An interval of a ratio with another, independent source of doubt: the spread of its log-ratio."""
    centre = math.log(interval.estimate)
    half = float(scipy.stats.norm.isf((1 - interval.confidence) / 2)) * spread
    down = math.hypot(centre - math.log(interval.low), half)
    up = math.hypot(math.log(interval.high) - centre, half)
    return replace(interval, low=math.exp(centre - down), high=math.exp(centre + up))


def difference_interval(
    errors: Sequence[tuple[float, float]],
    weights: Sequence[float],
    blocks: Sequence[Hashable],
    confidence: float = CONFIDENCE,
    seed: int = SEED,
) -> Interval | None:
    """Candidate's minus baseline's error rate, with an interval that keeps each block whole.

    Blockwise paired bootstrap of a ratio of sums (Bisani & Ney, "Bootstrap estimates for confidence intervals in
    ASR performance evaluation", ICASSP 2004; blocks by speaker after Liu et al., "Statistical Testing on ASR
    Performance via Blockwise Bootstrap", Interspeech 2020).

    Args:
        errors: for each utterance the (baseline, candidate) error counts.
        weights: for each utterance how many words could be wrong.
        blocks: for each utterance its speaker; a block is drawn as one.
    """
    if not errors or sum(weights) <= 0:
        return None
    names = {block: index for index, block in enumerate(dict.fromkeys(blocks))}
    index = np.array([names[block] for block in blocks])
    excess = np.array([candidate - baseline for baseline, candidate in errors], dtype=float)
    sums = np.bincount(index, weights=excess)
    sizes = np.bincount(index, weights=np.asarray(weights, dtype=float))
    picks = np.random.default_rng(seed).integers(0, len(names), (RESAMPLES, len(names)))
    low, high = _percentile_interval(sums[picks].sum(axis=1) / sizes[picks].sum(axis=1), confidence)
    return Interval(float(sums.sum() / sizes.sum()), low, high, len(errors), confidence=confidence)


def stretched(interval: Interval, freedom: float) -> Interval:
    """A percentile interval as much wider as Student's t of so many degrees of freedom is wider than the normal."""
    tail = (1 - interval.confidence) / 2
    stretch = float(scipy.stats.t.isf(tail, max(freedom, 1)) / scipy.stats.norm.isf(tail))
    low, high = (interval.estimate + stretch * (end - interval.estimate) for end in (interval.low, interval.high))
    return replace(interval, low=low, high=high, freedom=freedom)


def _percentile_interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)


def p_above(interval: Interval, bar: float) -> float:
    """The one-sided p-value of a ratio's being above `bar`, read off its interval on the log scale."""
    low, high, bar_log = np.log([interval.low, interval.high, bar])
    spread = (high - low) / 2 / scipy.stats.t.isf((1 - interval.confidence) / 2, interval.freedom)
    if spread == 0:
        return float(np.log(interval.estimate) <= bar_log)
    return float(scipy.stats.t.sf((np.log(interval.estimate) - bar_log) / spread, interval.freedom))
