"""Two saved runs: has anything become slower, worse, or gone missing since the accepted one?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import scipy

from voiceperf.judge.language import MAX_PERPLEXITY_RATIO
from voiceperf.judge.noise import Noise, change_of_runs, least_seen
from voiceperf.judge.regression import MAX_SLOWDOWN
from voiceperf.judge.statistics import CONFIDENCE, Interval, PairsByInput, p_above
from voiceperf.judge.text import Heard, compare_hearing
from voiceperf.judge.verdict import MIN_PAIRS, Check, Finding, Verdict, point_at_most


@dataclass(frozen=True)
class Series:
    """One benchmark over all its inputs: (reference, candidate) times of every pair, by input."""

    times: PairsByInput
    max_slowdown: float | None = None  # as a marker names it


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
    """One thing compared; a row of quality has neither a change nor what could have been seen of one."""

    name: str
    change: Interval | None
    least_seen: float | None
    finding: Finding


def judge_runs(accepted: RunData, now: RunData, noise: Mapping[str, Sequence[Noise]]) -> list[Row]:
    """Every series and every quality figure of either run. FAIL is an alarm; nothing that is missing passes.

    A speed row passes unless it is surely slower, so each says how much slower would have been seen. All of them
    together raise a false alarm in at most 2.5% of runs with nothing changed (Benjamini & Hochberg, "Controlling the
    false discovery rate", 1995; it holds for benchmarks that are positively dependent, as those of one machine are:
    Benjamini & Yekutieli, 2001).

    Args:
        accepted: what is held against.
        now: what is judged.
        noise: by series, what runs of identical code have shown on this machine.
    """
    names = dict.fromkeys([*accepted.series, *now.series])
    if not names:
        return [_row("benchmarks", Verdict.INVALID, "neither run holds a benchmark of pairs")]
    speed = [_judge_series(name, accepted.series, now.series, noise.get(name, ())) for name in names]
    return [*_alarms(speed), *_judge_quality(accepted, now)]


@dataclass(frozen=True)
class _Measured:
    """A series that can be judged, and how much slower is still as good."""

    name: str
    change: Interval
    tolerance: float


def _judge_series(
    name: str, before: Mapping[str, Series], after: Mapping[str, Series], noise: Sequence[Noise]
) -> _Measured | Row:
    """What was measured of a series in both runs, or why it cannot be judged."""
    if name not in after:
        return _row(name, Verdict.INVALID, "in the accepted run, but not measured in this one")
    if name not in before:
        return _row(name, Verdict.INVALID, "not in the accepted run; accept a run that holds it")
    change = change_of_runs(before[name].times, after[name].times, noise)
    if change is None:
        return _row(name, Verdict.INVALID, "measured on other inputs than the accepted run; use the same form and call")
    if change.samples < MIN_PAIRS:
        return _row(name, Verdict.INVALID, f"{change.samples} pairs, {MIN_PAIRS} are the least")
    return _Measured(name, change, after[name].max_slowdown or MAX_SLOWDOWN)


def _row(name: str, verdict: Verdict, reason: str) -> Row:
    return Row(name, None, None, Finding(verdict, reason))


def _alarms(speed: Sequence[_Measured | Row]) -> list[Row]:
    """Which series have surely become slower, among so many."""
    measured = [one for one in speed if isinstance(one, _Measured)]
    error_rate = (1 - CONFIDENCE) / 2
    p_values = [p_above(one.change, 1 + one.tolerance) for one in measured]
    adjusted = list(scipy.stats.false_discovery_control(p_values)) if measured else []
    alarmed = {one.name for one, p in zip(measured, adjusted, strict=True) if p <= error_rate}
    return [
        one
        if isinstance(one, Row)
        else _speed_row(one, one.name in alarmed, error_rate * _partners(one, measured) / len(measured))
        for one in speed
    ]


def _partners(one: _Measured, measured: Sequence[_Measured]) -> int:
    """How many series are of the same work: what is slower there is slower beside each partner, and shows in all."""
    return sum(other.name.partition(":")[0] == one.name.partition(":")[0] for other in measured)


def _speed_row(one: _Measured, alarm: bool, level: float) -> Row:
    change, seen = one.change, least_seen(one.change, one.tolerance, level)
    checks = (Check("time ratio", change.low, 1 + one.tolerance),)
    if alarm:
        reason = f"{change.estimate - 1:+.1%}, {change.low - 1:+.1%} at least, where {one.tolerance:.0%} counts as none"
        return Row(one.name, change, seen, Finding(Verdict.FAIL, reason, checks))
    return Row(one.name, change, seen, Finding(Verdict.PASS, f"{seen:.0%} slower would have been seen", checks))


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
        elif finding.verdict is Verdict.NOT_APPLICABLE and _was_judged(accepted.criteria.get(name)):
            finding = Finding(Verdict.INVALID, f"the accepted run has judged it; now: {finding.reason}")
        rows.append(Row(f"quality of {name}", None, None, finding))
    return rows


def _was_judged(finding: Finding | None) -> bool:
    return finding is not None and finding.verdict is not Verdict.NOT_APPLICABLE


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
