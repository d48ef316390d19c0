"""A search's candidates: how each race went, what a study keeps of it, and what mattered among them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Verdict

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
