"""A search's candidates: the race of each beside the baseline, what a study keeps of it, and what mattered."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceperf.errors import EngineError, ParameterError, ServiceError
from voiceperf.judge.statistics import CONFIDENCE, Interval
from voiceperf.judge.verdict import Verdict
from voiceperf.measure.experiment import Start, experiment

ALONE, TOGETHER = "alone", "together"  # the two stages


@dataclass(frozen=True)
class Raced:
    """How a candidate did: its time over the baseline's, and whether it was dropped as surely slower."""

    ratio: Interval | None
    dropped: bool = False
    failure: str = ""


@dataclass(frozen=True)
class Trial:
    """One finished trial, as the study keeps it."""

    number: int
    stage: str
    choices: Mapping[str, Any]
    ratio: float  # to the baseline's time, with its interval; infinite where it does not run
    low: float
    high: float
    dropped: bool
    verdict: str  # of its quality; empty where it was not fast enough to matter
    loss: float | None
    reason: str

    @property
    def feasible(self) -> bool:
        """Whether it ran to its end and lost no quality that matters."""
        return self.ran and not self.dropped and self.verdict in (Verdict.PASS, Verdict.INCONCLUSIVE)

    @property
    def ran(self) -> bool:
        return math.isfinite(self.ratio)


@dataclass(frozen=True)
class Importance:
    """How much each parameter decides, the largest first, adding up to 1; and how that is known."""

    weights: Mapping[str, float]
    method: str


LOOKS = (2, 4)  # rounds; with three inputs the first look has six pairs
ENOUGH = 0.06  # a ratio known this closely either way needs no more rounds


def race(
    start: Start,
    bar: float,
    looks: tuple[int, ...] = LOOKS,
    *,
    enough: float = ENOUGH,
    wins_below: float = 0.0,
    confidence: float = CONFIDENCE,
) -> Raced:
    """Rounds up to the last look, or until it is clear that the candidate loses, or wins, or how fast it is."""

    def is_known(ratio: Interval | None) -> bool:
        return ratio is not None and (ratio.low > bar or ratio.high < wins_below or _is_close(ratio, enough))

    try:
        ratio = experiment(start, looks, is_known, confidence=confidence).interval
    except (EngineError, ParameterError, ServiceError) as error:
        return Raced(None, failure=str(error))
    return Raced(ratio, dropped=ratio is not None and ratio.low > bar)


def _is_close(ratio: Interval, enough: float) -> bool:
    return ratio.high / ratio.low < (1 + enough) ** 2
