"""Choosing among feasible trials: the frontier of speed against quality, and the point on it that a user prefers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voiceperf.tune.trial import Raced, Trial


@dataclass(frozen=True)
class Preference:
    """What is made smallest, and how fast a trial that loses no quality must be to be preferred to the best so far."""

    key: Callable[[Trial], tuple[float, float]]
    bar: Callable[[Trial], float]


PREFERENCES = {
    "speed": Preference(lambda trial: (trial.ratio, loss(trial)), lambda best: best.ratio),
    "balanced": Preference(lambda trial: (_product(trial), loss(trial)), lambda best: min(1.0, _product(best))),
    "quality": Preference(lambda trial: (loss(trial), trial.ratio), lambda best: 1.0 if loss(best) > 0 else best.ratio),
}
"""`balanced` counts a loss at the gate's limit like a doubled time."""


def frontier(trials: Iterable[Trial]) -> list[Trial]:
    """The feasible trials that no other beats in both time and loss, fastest first."""
    kept: list[Trial] = []
    for trial in sorted((trial for trial in trials if trial.feasible), key=lambda trial: (trial.ratio, loss(trial))):
        if not kept or loss(trial) < loss(kept[-1]):
            kept.append(trial)
    return kept


def preferred(trials: Iterable[Trial], prefer: str) -> Trial | None:
    """The frontier's point that a preference picks; None without a feasible trial."""
    return min(frontier(trials), key=PREFERENCES[prefer].key, default=None)


def loss(trial: Trial) -> float:
    """What quality it lost, as a share of the gate's limit; better than the baseline is no loss."""
    return max(0.0, trial.loss or 0.0)


def _product(trial: Trial) -> float:
    return trial.ratio * (1 + loss(trial))


_NEAR = 1.15  # times the fastest's ratio; one setting came out as 0.50 and as 0.57 of the same baseline's time
_MOST_RIVALS = 3

Meet = Callable[[Trial, Trial], Raced]
"""Races the second beside the first."""


def fastest(trials: Iterable[Trial], meet: Meet, proven: Trial | None = None) -> Trial | None:
    """The feasible trial that no near rival surely beats; None without a feasible one.

    A setting that is proven elsewhere need not win: it is taken unless the best surely beats it. The search may have
    dropped it, or not judged it, by noise; where it is the search's own fastest, nobody needs to meet.
    """
    ranked = sorted((trial for trial in trials if trial.feasible), key=lambda trial: trial.ratio)
    if not ranked:
        return None
    if ranked[0] is proven:
        return proven
    best, *others = (trial for trial in ranked if trial is not proven)
    for rival in [trial for trial in others if trial.ratio < _NEAR * best.ratio][:_MOST_RIVALS]:
        raced = meet(best, rival)
        if raced.ratio is not None and raced.ratio.high < 1:
            best = rival
    if proven is not None and proven is not best:
        raced = meet(best, proven)
        if raced.ratio is not None and raced.ratio.low <= 1:
            return proven
    return best
