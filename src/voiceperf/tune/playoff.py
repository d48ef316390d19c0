"""The nearest rivals meet directly: beside a slow baseline, hundredths between fast settings are lost in noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from voiceperf.tune.trial import Raced, Trial

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
