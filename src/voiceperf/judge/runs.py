"""Two saved runs: has anything become slower, worse, or gone missing since the accepted one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import scipy

from voiceperf.judge.language import MAX_PERPLEXITY_RATIO
from voiceperf.judge.planning import Noise
from voiceperf.judge.regression import judge_slowdown
from voiceperf.judge.statistics import (
    CONFIDENCE,
    Interval,
    PairsByInput,
    change_interval,
    p_above,
    widened,
)
from voiceperf.judge.text import Heard, compare_hearing
from voiceperf.judge.verdict import Finding, Verdict, point_at_most

MAX_RUN_SLOWDOWN = 0.10
"""The threshold where a benchmark's marker names none: runs of different hours tell less apart than a duel."""

LOOSEST_RUN_SLOWDOWN = 0.25
"""How far that gives way to a machine's noise floor; above it a PASS would say nothing."""


@dataclass(frozen=True)
class Series:
    """One benchmark over all its inputs: (reference, candidate) times of every pair, by input."""

    times: PairsByInput
    max_slowdown: float | None = None  # as a marker names it

    def threshold(self, noise: Noise | None) -> float:
        """The marker's, or what this machine can tell apart."""
        if self.max_slowdown is not None:
            return self.max_slowdown
        floor = noise.floor if noise else 0.0
        return min(max(MAX_RUN_SLOWDOWN, floor), LOOSEST_RUN_SLOWDOWN)


@dataclass(frozen=True)
class RunData:
    """What a run holds for the judge.

    `criteria` are the quality findings beside each baseline; `heard` has each spoken utterance's score, by engine and
    utterance; `perplexity` is the candidate's own, on the written conversations.
    """

    series: Mapping[str, Series]
    criteria: Mapping[str, Finding]
    heard: Mapping[str, Mapping[str, Scored]] = field(default_factory=dict)
    perplexity: float | None = None


@dataclass(frozen=True)
class Scored:
    """An utterance's score and its speaker."""

    heard: Heard
    speaker: str

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Scored:
        """Read what the quality gate has saved."""
        values = dict(record)
        return cls(speaker=values.pop("speaker"), heard=Heard(**values))


@dataclass(frozen=True)
class Row:
    """One thing compared; a row of quality has neither change nor threshold."""

    name: str
    change: Interval | None
    max_slowdown: float | None
    finding: Finding


def judge_runs(accepted: RunData, now: RunData, noise: Mapping[str, Noise]) -> list[Row]:
    """Every series and every quality figure of either run, judged; nothing that is missing passes."""
    names = dict.fromkeys([*accepted.series, *now.series])
    if not names:
        return [_row("benchmarks", Verdict.INVALID, "neither run holds a benchmark of pairs")]
    speed = [_judge_series(name, accepted.series.get(name), now.series.get(name), noise.get(name)) for name in names]
    return [*_control_false_discoveries(speed), *_judge_quality(accepted, now)]


def _judge_series(name: str, before: Series | None, after: Series | None, noise: Noise | None) -> Row:
    if after is None:
        return _row(name, Verdict.INVALID, "in the accepted run, but not measured in this one")
    if before is None:
        return _row(name, Verdict.INVALID, "not in the accepted run; accept a run that holds it")
    threshold = after.threshold(noise)
    change = change_interval(before.times, after.times)
    if change is not None and noise is not None:
        change = widened(change, noise.launch_width)
    if change is None:
        finding = Finding(Verdict.INVALID, "measured on other inputs than the accepted run; use the same form and call")
    elif noise is None:
        finding = Finding(Verdict.INVALID, "its noise floor here is unknown; run: voiceperf calibrate")
    else:
        finding = judge_slowdown(change, threshold, noise)
    return Row(name, change, threshold, finding)


def _row(name: str, verdict: Verdict, reason: str) -> Row:
    return Row(name, None, None, Finding(verdict, reason))


def _control_false_discoveries(rows: Sequence[Row]) -> list[Row]:
    """Keep only the slowdowns that stand among so many comparisons.

    Benjamini & Hochberg, "Controlling the false discovery rate", 1995; it holds for benchmarks that are positively
    dependent, as those of one machine are (Benjamini & Yekutieli, 2001). A PASS needs no such care: all must pass.
    """
    judged = [row for row in rows if row.change is not None and row.max_slowdown is not None]
    if not judged:
        return list(rows)
    p_values = [p_above(row.change, 1 + row.max_slowdown) for row in judged]  # type: ignore[arg-type, operator]
    adjusted = dict(zip([row.name for row in judged], scipy.stats.false_discovery_control(p_values), strict=True))
    error_rate = (1 - CONFIDENCE) / 2
    return [
        replace(row, finding=_doubt(row.finding, len(judged)))
        if row.finding.verdict is Verdict.FAIL and adjusted[row.name] > error_rate
        else row
        for row in rows
    ]


def _doubt(finding: Finding, comparisons: int) -> Finding:
    reason = f"{finding.reason}; may be chance among {comparisons} comparisons (false discovery control)"
    return Finding(Verdict.INCONCLUSIVE, reason)


def _judge_quality(accepted: RunData, now: RunData) -> list[Row]:
    if not accepted.criteria and not now.criteria:
        return [_row("quality", Verdict.INVALID, "neither run has judged any; speed alone proves nothing")]
    return [*_judge_criteria(accepted, now), *_judge_hearing(accepted, now), *_judge_thinking(accepted, now)]


def _judge_criteria(accepted: RunData, now: RunData) -> list[Row]:
    """Each criterion's quality beside its baseline; a figure that is no longer there is INVALID."""
    rows = []
    for name in dict.fromkeys([*accepted.criteria, *now.criteria]):
        finding = now.criteria.get(name)
        if finding is None:
            finding = Finding(Verdict.INVALID, "a quality figure of the accepted run was not measured in this one")
        rows.append(Row(f"quality of {name}", None, None, finding))
    return rows


def _judge_hearing(accepted: RunData, now: RunData) -> list[Row]:
    """The candidate's own transcripts, then and now, utterance by utterance."""
    rows = []
    for role in dict.fromkeys([*accepted.heard, *now.heard]):
        before, after = accepted.heard.get(role, {}), now.heard.get(role, {})
        name = f"{role}: words heard since then"
        if set(before) != set(after):
            rows.append(_row(name, Verdict.INVALID, "judged on other utterances than the accepted run"))
            continue
        compared = compare_hearing(
            [before[key].heard for key in before],
            [after[key].heard for key in before],
            [before[key].speaker for key in before],
        )
        finding = compared.finding(min_utterances=1) if compared else Finding(Verdict.INVALID, "no words were spoken")
        rows.append(Row(name, None, None, finding))
    return rows


def _judge_thinking(accepted: RunData, now: RunData) -> list[Row]:
    """The candidate's perplexity, then and now: a library that harms every profile alike shows only here."""
    if accepted.perplexity is None and now.perplexity is None:
        return []
    ratio = now.perplexity / accepted.perplexity if accepted.perplexity and now.perplexity else None
    finding = point_at_most(ratio, MAX_PERPLEXITY_RATIO, "perplexity / that of the accepted run")
    return [Row("thinking: perplexity since then", None, None, finding)]
