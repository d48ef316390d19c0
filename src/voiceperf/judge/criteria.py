"""The success criteria of a call: what is asserted, the bar, and how a figure and its quality become a verdict."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import (
    CONFIDENCE,
    Interval,
    PairsByInput,
    quantile_interval,
    ratio_interval,
    widened,
)
from voiceperf.judge.verdict import Finding, Verdict, at_most, point_at_most, worst
from voiceperf.roles import (
    DETERMINISTIC,
    EXACT_TOKENS,
    HEARING,
    LOCAL,
    ROLES,
    SCRIPT,
    SPEAKING,
    THINKING,
)

# Three engines that share the cores would take three times as long each; where one's threads wait for each other they
# wait for the other engines too. 6 to 13 was seen on two cores (FINDINGS.md); this tells a slow hour from a runaway.
MAX_LOAD_FACTOR = 30.0
MAX_RSS_GROWTH = 0.05  # after the first round, when every buffer has its size
OWN_RSS_BYTES = 3 * 2**28  # what three engines may take together beside their models,
RSS_A_MODEL_BYTE = 1.5  # and for each byte of those: 1.2 GiB with the small ones of the shipped profile

PROCESS_SPREAD = 0.04
"""What two processes of identical code differ by at most, of those seen (docs/FINDINGS.md, Noise): 1 to 4%.

Each turn is measured in one process a side, which no number of pairs within it averages away.
"""

MAX_LOOKS = 3


def confidence_of_a_look() -> float:
    """Looking again after as many pairs more would inflate the error rate; the intervals at all looks hold together."""
    return look_confidence(tuple(range(1, MAX_LOOKS + 1)), CONFIDENCE)


@dataclass(frozen=True)
class Bar:
    """What a criterion asks: its figure must not exceed `most`; `aim` is what tuning strives for.

    `most` is what the optimisation of the recorded call was asked to bring on any machine; the aims are for two cores
    with AVX-512, and missing one fails nothing.

    Attributes:
        key: its name in saved runs and tests.
        role: whose quality stands beside it; all of them where none is named.
        workload: whose runs its figure is of.
        title: in tables.
        unit: "ratio" is the candidate's time over a baseline's; any other figure is the candidate's own.
        most: the bar.
        aim: the aim.
        plain: the title for who knows nothing of speech.
        hint: what it means, for the same.
        of: the part of a run that counts; the whole of it where none is named.
        longer_half: only of the turns with the longer replies.
        needs: by role, what an engine must be able to do (`roles.ABILITIES`).
    """

    key: str
    role: str
    workload: str
    title: str
    unit: str
    most: float
    aim: float | None
    plain: str
    hint: str
    of: str = ""
    longer_half: bool = False
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def is_relative(self) -> bool:
        """Whether its figure is a share of a baseline's time; else it is judged once, not beside each baseline."""
        return self.unit == RATIO

    def beside(self, baseline: str) -> str:
        """The title, with the baseline where there is one."""
        return f"{self.title} against {baseline}" if self.is_relative else self.title


RATIO = "ratio"
_RTF = "RTF, the real-time factor: seconds of computing for a second of speech heard. Below 1 it keeps up."
_EXACT = {THINKING: frozenset({EXACT_TOKENS})}
_ALL = (
    Bar(
        "hearing", HEARING, "call", "hearing within a turn", RATIO, 0.70, 0.25,
        "Hearing: speech to text", "How long the engine needs, within a call, for what the caller says in one go.",
        of="ASR", needs={THINKING: frozenset({SCRIPT})},
    ),
    Bar(
        "hearing_alone", HEARING, HEARING, "hearing alone: inference time of the chunks", RATIO, 0.70, 0.25,
        "Hearing, and nothing else", "The same again and again, with no other engine between: how fast it can be.",
    ),
    Bar(
        "thinking", THINKING, THINKING, "thinking: time of a 32-token reply", RATIO, 0.80, 0.60,
        "Thinking: a reply of 32 tokens",
        "How long the engine needs for a reply, the conversation so far being read already. A token is about 3/4 word.",
        needs=_EXACT,
    ),
    Bar(
        "thinking_cold", THINKING, "thinking_cold", "thinking: whole prompt to first token", RATIO, 0.80, 0.40,
        "Thinking: the whole conversation read anew",
        "What the engine needs to its first word, having read nothing; in a call it has read all but the last words.",
        needs=_EXACT,
    ),
    Bar(
        "speaking", SPEAKING, SPEAKING, "speaking alone: RTF heard, worst text", "RTF", 0.60, 0.40,
        "Speaking: computing per second of speech, worst reply", _RTF, of="rtf",
    ),
    Bar(
        "speaking_long", SPEAKING, SPEAKING, "speaking alone: RTF heard, worst of the longer texts", "RTF", 0.60, 0.28,
        "Speaking: the same, worst of the longer replies", _RTF, of="rtf", longer_half=True,
    ),
    Bar(
        "speaking_first", SPEAKING, "call", "speaking: first audio within a turn, worst of the longer texts", "s",
        1.0, 0.45,
        "Speaking: seconds until the first sound, worst of the longer replies",
        "A long reply is spoken in pieces; this is how soon, within a call, the first one sounds.",
        of="TTS first audio", longer_half=True, needs={THINKING: frozenset({SCRIPT})},
    ),
    Bar(
        "call", "", "call", "overall: chunk end to first audio", RATIO, 0.75, 0.30,
        "A whole answer: until the caller hears the first sound",
        "From the end of the caller's words to the first sound of the reply, through all three services over TCP.",
        needs={THINKING: frozenset({SCRIPT})},
    ),
    Bar(
        "stability", "", "", "stability: three engines at once", "p95 factor", MAX_LOAD_FACTOR, None,
        "Under load: all three at once",
        "How much longer the slowest twentieth takes while all engines share the cores, and whether anything fails.",
        needs=dict.fromkeys(ROLES, frozenset({DETERMINISTIC, LOCAL})),
    ),
)  # fmt: skip
BARS = {bar.key: bar for bar in _ALL}
"""Every criterion, in the order of the table."""


@dataclass(frozen=True)
class Criterion:
    """One row of the table: a figure with its interval and bar, the quality beside it, the verdict of both."""

    bar: Bar
    baseline: str  # empty where the figure is the candidate's own
    figure: Interval | None
    speed: Finding
    quality: Finding
    quality_text: str

    @property
    def name(self) -> str:
        """In tables and messages."""
        return self.bar.beside(self.baseline)

    @property
    def missed_aim(self) -> str | None:
        """In words, where the whole interval is not within the aim."""
        aim = self.bar.aim
        if aim is None or self.figure is None or self.figure.high <= aim:
            return None
        return f"{self.figure.high:.3g} at worst, aim {aim:.3g} ({self.bar.unit})"

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
            "criterion": self.bar.key,
            "baseline": self.baseline,
            "unit": self.bar.unit,
            "estimate": figure.estimate if figure else None,
            "low": figure.low if figure else None,
            "high": figure.high if figure else None,
            "samples": figure.samples if figure else 0,
            "bar": self.bar.most,
            "aim": self.bar.aim,
            "quality": self.quality_text,
            "quality_verdict": str(self.quality.verdict),
            "quality_reason": self.quality.reason,
            "checks": [asdict(check) for check in self.quality.checks],
            "speed_checks": [asdict(check) for check in self.speed.checks],
            "verdict": str(self.verdict),
            "reason": self.decisive.reason,
        }


def judge_reduction(bar: Bar, times: PairsByInput) -> tuple[Interval | None, Finding]:
    """Whether candidate / baseline stays below the bar."""
    interval = ratio_interval(times, confidence_of_a_look())
    if interval is not None:
        interval = widened(interval, PROCESS_SPREAD / math.sqrt(len(times)))
    return interval, at_most(interval, bar.most, "time ratio")


def judge_worst_text(bar: Bar, values_by_text: Mapping[int, Sequence[float]]) -> tuple[Interval | None, Finding]:
    """Whether every text's figure stays below the bar; one text that is surely above it is a FAIL.

    The figure is the worst text's: of those that fail the one that is so most surely, else the one that may be highest.
    """
    confidence = confidence_of_a_look()
    intervals = [quantile_interval(values, 0.5, confidence) for values in values_by_text.values()]
    measured = [widened(interval, PROCESS_SPREAD) for interval in intervals if interval is not None]
    if not measured or len(measured) < len(intervals):
        return None, Finding(Verdict.INVALID, f"{bar.unit}: a text was not measured")
    fewest = min(measured, key=lambda interval: interval.samples)
    if fewest.confidence < confidence:
        reason = f"{bar.unit}: {fewest.samples} samples of a text are too few for an interval of {confidence:.1%}"
        return fewest, Finding(Verdict.INVALID, reason)
    surest = max(measured, key=lambda interval: interval.low)
    shown = surest if surest.low > bar.most else max(measured, key=lambda interval: interval.high)
    return shown, at_most(shown, bar.most, bar.unit)


@dataclass(frozen=True)
class LoadResult:
    """What came of running the engines at once."""

    runs: int
    errors: tuple[str, ...]
    changed_outputs: tuple[str, ...]
    p95_factors: Mapping[str, float]  # by role, over its unloaded median
    rss_growth: float | None
    rss_bytes: int | None  # of all engines together, at the end
    model_bytes: int  # the files of all their models


def judge_load(load: LoadResult, max_rss_bytes: int | None = None) -> tuple[Finding, Finding]:
    """Speed under load and, as its quality, errors, changed outputs and memory.

    Args:
        load: what came of it.
        max_rss_bytes: of all engines together; what their models' sizes let expect where it is not said.
    """
    most_bytes = int(OWN_RSS_BYTES + RSS_A_MODEL_BYTE * load.model_bytes) if max_rss_bytes is None else max_rss_bytes
    slowest = max(load.p95_factors, key=lambda role: load.p95_factors[role], default="")
    what = f"p95 under load / alone, the worst role's ({slowest or 'none ran'})"
    speed = point_at_most(load.p95_factors.get(slowest), MAX_LOAD_FACTOR, what)
    errors = f"errors {load.errors[0] if load.errors else ''}".strip()
    changed = f"outputs changed under load {load.changed_outputs[0] if load.changed_outputs else ''}".strip()
    quality = worst(
        [
            point_at_most(len(load.errors), 0, errors),
            point_at_most(len(load.changed_outputs), 0, changed),
            point_at_most(load.rss_growth, MAX_RSS_GROWTH, "memory growth"),
            point_at_most(load.rss_bytes, most_bytes, "memory in bytes"),
        ]
    )
    return speed, quality
