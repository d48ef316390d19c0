"""Estimates with intervals from paired samples. Pure and seeded."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 4000  # enough for the 2.5% tail to be steady in its third digit (Efron & Tibshirani 1993, ch. 14)
SEED = 61
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate with its confidence interval, and how many samples stand behind it."""

    estimate: float
    low: float
    high: float
    samples: int


def ratio_interval(
    pairs_by_input: Mapping[int, Sequence[tuple[float, float]]], confidence: float = CONFIDENCE, seed: int = SEED
) -> Interval | None:
    """The geometric mean of candidate / baseline over inputs, each input counting the same.

    Percentile bootstrap of the residuals of paired log-ratios around their input's mean, pooled over inputs
    (Efron & Tibshirani 1993, ch. 9 and 13; ratios rather than differences after Kalibera & Jones, "Rigorous
    Benchmarking in Reasonable Time", 2013). Pooling keeps inputs with few pairs from looking certain; an input
    with a single pair counts its distance from the other inputs as noise, which only widens the interval.

    Args:
        pairs_by_input: for each input its (baseline, candidate) times, any unit, all above zero.
        confidence: of the two-sided interval.

    Returns:
        None where an input has no pair: what was not measured has no ratio.
    """
    if not pairs_by_input or not all(pairs_by_input.values()):
        return None
    log_ratios = [np.log(np.divide(*reversed(np.asarray(pairs, dtype=float).T))) for pairs in pairs_by_input.values()]
    centre = float(np.mean([ratios.mean() for ratios in log_ratios]))
    noise = np.concatenate([_residuals(ratios, centre) for ratios in log_ratios])
    rng = np.random.default_rng(seed)
    resampled = centre + np.mean([_resampled_means(noise, len(ratios), rng) for ratios in log_ratios], axis=0)
    low, high = _percentile_interval(resampled, confidence)
    return Interval(float(np.exp(centre)), float(np.exp(low)), float(np.exp(high)), len(noise))


def _residuals(log_ratios: NDArray[np.float64], centre: float) -> NDArray[np.float64]:
    """Deviations from the input's own mean, scaled to the spread they estimate."""
    count = len(log_ratios)
    if count == 1:
        return log_ratios - centre
    deviations: NDArray[np.float64] = (log_ratios - log_ratios.mean()) * np.sqrt(count / (count - 1))
    return deviations


def median_interval(values: Sequence[float], confidence: float = CONFIDENCE, seed: int = SEED) -> Interval | None:
    """The median with a percentile bootstrap interval; None without values."""
    if not values:
        return None
    data = np.asarray(values, dtype=float)
    picks = np.random.default_rng(seed).integers(0, len(data), (RESAMPLES, len(data)))
    low, high = _percentile_interval(np.median(data[picks], axis=1), confidence)
    return Interval(float(np.median(data)), low, high, len(data))


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
    return Interval(float(sums.sum() / sizes.sum()), low, high, len(errors))


def _resampled_means(noise: NDArray[np.float64], count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    means: NDArray[np.float64] = noise[rng.integers(0, len(noise), (RESAMPLES, count))].mean(axis=1)
    return means


def _percentile_interval(values: NDArray[np.float64], confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2 * 100
    low, high = np.percentile(values, [tail, 100 - tail])
    return float(low), float(high)
