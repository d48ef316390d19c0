"""Choosing among feasible trials: the frontier of speed against quality, and the point on it that a user prefers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from voiceperf.tune.trial import Trial

PREFERENCES: dict[str, Callable[[Trial], tuple[float, float]]] = {
    "speed": lambda trial: (trial.ratio, loss(trial)),
    "balanced": lambda trial: (trial.ratio * (1 + loss(trial)), loss(trial)),
    "quality": lambda trial: (loss(trial), trial.ratio),
}
"""What is made smallest; `balanced` counts a loss at the gate's limit like a doubled time."""


def frontier(trials: Iterable[Trial]) -> list[Trial]:
    """The feasible trials that no other beats in both time and loss, fastest first."""
    kept: list[Trial] = []
    for trial in sorted((trial for trial in trials if trial.feasible), key=lambda trial: (trial.ratio, loss(trial))):
        if not kept or loss(trial) < loss(kept[-1]):
            kept.append(trial)
    return kept


def preferred(trials: Iterable[Trial], prefer: str) -> Trial | None:
    """The frontier's point that a preference picks; None without a feasible trial."""
    return min(frontier(trials), key=PREFERENCES[prefer], default=None)


def loss(trial: Trial) -> float:
    """What quality it lost, as a share of the gate's limit; better than the baseline is no loss."""
    return max(0.0, trial.loss or 0.0)
