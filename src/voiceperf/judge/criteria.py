"""The success criteria of a call: what is asserted, the bar, and how a figure and its quality become a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import CONFIDENCE, Interval, PairsByInput, median_interval, ratio_interval
from voiceperf.judge.verdict import Finding, Verdict, at_most, point_at_most, worst

# The plan's floor: what the optimisation of the recorded call was asked to bring
REDUCTIONS = {"whisper": 0.30, "llama": 0.20, "call": 0.25}
MAX_RTF = 0.6
# Three engines that share the cores would take three times as long each; their spinning thread pools keep one another
# from the cores on top of that. 27 was seen on two cores (FINDINGS.md); this bound tells a slow hour from a runaway.
MAX_LOAD_FACTOR = 60.0
MAX_RSS_GROWTH = 0.05  # after the first round, when every buffer has its size

# Looking again after as many pairs more would inflate the error rate; the intervals at all looks hold together
MAX_LOOKS = 3
LOOK_CONFIDENCE = look_confidence(tuple(range(1, MAX_LOOKS + 1)), CONFIDENCE)

TITLES = {
    "whisper": "whisper: inference time of the chunks",
    "llama": "llama: time of a 32-token reply",
    "kokoro": "kokoro: RTF heard, worst text",
    "call": "overall: chunk end to first audio",
    "stability": "stability: three engines at once",
}


BARS = {name: (1 - reduction, "ratio") for name, reduction in REDUCTIONS.items()} | {
    "kokoro": (MAX_RTF, "RTF"),
    "stability": (MAX_LOAD_FACTOR, "p95 factor"),
}
"""What each criterion's figure must not exceed, and its unit."""


@dataclass(frozen=True)
class Criterion:
    """One row of the table: a figure with its interval and bar, the quality beside it, the verdict of both."""

    name: str
    baseline: str
    figure: Interval | None
    bar: float
    unit: str
    speed: Finding
    quality: Finding
    quality_text: str

    @property
    def decisive(self) -> Finding:
        return worst([self.speed, self.quality])

    @property
    def verdict(self) -> Verdict:
        return self.decisive.verdict

    def as_record(self) -> dict[str, object]:
        """Plain values for a saved run."""
        figure = self.figure
        return {
            "criterion": self.name,
            "baseline": self.baseline,
            "unit": self.unit,
            "estimate": figure.estimate if figure else None,
            "low": figure.low if figure else None,
            "high": figure.high if figure else None,
            "samples": figure.samples if figure else 0,
            "bar": self.bar,
            "quality": self.quality_text,
            "quality_verdict": str(self.quality.verdict),
            "quality_reason": self.quality.reason,
            "verdict": str(self.verdict),
            "reason": self.decisive.reason,
        }


def judge_reduction(name: str, times: PairsByInput) -> tuple[Interval | None, Finding]:
    """Whether candidate / baseline stays below the bar that the criterion sets."""
    interval = ratio_interval(times, LOOK_CONFIDENCE)
    return interval, at_most(interval, 1 - REDUCTIONS[name], "time ratio")


def judge_rtf(rtf_by_text: Mapping[int, Sequence[float]]) -> tuple[Interval | None, Finding]:
    """Whether every text's real-time factor stays below the bar: the worst one stands for all."""
    intervals = [median_interval(values, LOOK_CONFIDENCE) for values in rtf_by_text.values()]
    measured = [interval for interval in intervals if interval is not None]
    if not measured or len(measured) < len(intervals):
        return None, Finding(Verdict.INVALID, "RTF: a text was not measured")
    slowest = max(measured, key=lambda interval: interval.high)
    return slowest, at_most(slowest, MAX_RTF, "RTF")


@dataclass(frozen=True)
class LoadResult:
    """What came of running the engines at once."""

    runs: int
    errors: tuple[str, ...]
    changed_outputs: tuple[str, ...]
    p95_factor: float | None
    rss_growth: float | None


def judge_load(load: LoadResult) -> tuple[Finding, Finding]:
    """Speed under load and, as its quality, errors, changed outputs and memory."""
    speed = point_at_most(load.p95_factor, MAX_LOAD_FACTOR, "p95 under load / unloaded median")
    errors = f"errors {load.errors[0] if load.errors else ''}".strip()
    changed = f"outputs changed under load {load.changed_outputs[0] if load.changed_outputs else ''}".strip()
    quality = worst(
        [
            point_at_most(len(load.errors), 0, errors),
            point_at_most(len(load.changed_outputs), 0, changed),
            point_at_most(load.rss_growth, MAX_RSS_GROWTH, "memory growth"),
        ]
    )
    return speed, quality
