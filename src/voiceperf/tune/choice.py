"""Choosing among feasible trials: the frontier of speed against quality, and the point on it that a user prefers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from voiceperf.tune.trial import Trial


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
