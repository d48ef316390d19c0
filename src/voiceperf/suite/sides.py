"""Is the candidate as good? A duel of each role and of whole turns, each role's quality, memory and start-up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from statistics import median
from typing import Any

from voiceperf.call import CallRecording
from voiceperf.engines.base import KernelCount
from voiceperf.errors import EngineError, ParameterError
from voiceperf.judge.criteria import MAX_RSS_GROWTH
from voiceperf.judge.statistics import Interval, ratio_interval
from voiceperf.judge.verdict import MIN_PAIRS, Finding, Verdict, at_most, point_at_most, worst
from voiceperf.log import Progress, silent
from voiceperf.measure.blocks import wall_ns
from voiceperf.measure.clock import Clock, SystemClock
from voiceperf.measure.contender import Side
from voiceperf.measure.launch import BASELINE, CANDIDATE, StartSide, worker_with
from voiceperf.measure.resources import counted
from voiceperf.quality.corpus import Corpus
from voiceperf.quality.gate import Quality, QualityGate
from voiceperf.roles import EXACT_TOKENS, LOCAL, ROLES, SCRIPT, THINKING
from voiceperf.suite.duel import TURN_LOOKS, Duel, DuelOfSides, DuelUnderWay, Rules, Watch, unwatched
from voiceperf.suite.live_turns import LiveSide
from voiceperf.suite.workloads import CALL, WORKLOADS, duel_requests, paced_ns, shortest_turns

COMPARED = (*ROLES, CALL)
MEMORY, START_UP = "memory", "start-up"
MAX_TURN_SLOWDOWN = 0.10  # of a whole turn, where three engines overlap on shared cores: noisier than its parts
_CLOCK = SystemClock()
MAX_START_SLOWDOWN = 0.25  # of what takes some seconds, once a day, and differs by some per cent each time


@dataclass(frozen=True)
class Judged:
    """One thing compared, and what came of it.

    Attributes:
        what: a role, the whole call, the memory or the start-up.
        finding: of all that was judged of it.
        interval: the candidate's time over the baseline's, where that has one.
        text: the figure in words, where it is no time.
        duel: where it is one of speed.
        quality: of a role.
    """

    what: str
    finding: Finding
    interval: Interval | None = None
    text: str = ""
    duel: Duel | None = None
    quality: Quality | None = None

    def as_record(self) -> dict[str, Any]:
        """Plain values, every pair included."""
        return {
            **(self.duel.as_record() if self.duel else {"what": self.what, "text": self.text}),
            "quality": self.quality.text if self.quality else None,
            "verdict": self.finding.verdict,
            "reason": self.finding.reason,
        }


def judge_sides(
    baseline: Side,
    candidate: Side,
    compared: Iterable[str],
    *,
    call: CallRecording,
    corpus: Corpus,
    rules: Rules,
    costs: bool = False,
    watch: Watch = unwatched,
    progress: Progress = silent,
    clock: Clock = _CLOCK,
) -> Iterator[Judged]:
    """Each of COMPARED that is asked for as it is done; then, as `costs`, what local engines took.

    That is memory, and time to start. Of two versions of one thing neither may grow; other settings may be worth it.

    Each is looked at once; the time that is left goes to those that are not clear, look by look in turn. While a duel
    runs, no other worker is alive to disturb it. What cannot be measured is INVALID with its reason, and
    takes nothing from the rest.
    """
    gate = QualityGate(call, corpus, progress=progress)
    both = {BASELINE: baseline, CANDIDATE: candidate}
    rows = list(compared)
    end_ns = clock.wall_ns() + int(rules.budget_s * len(rows) * 1e9)
    how = {"watch": watch, "is_over": lambda: clock.wall_ns() >= end_ns}
    ended: list[Duel] = []
    qualities: dict[str, Quality] = {}

    def end(duel: Duel) -> Judged:
        ended.append(duel)
        quality = qualities.get(duel.what)
        findings = [duel.finding, *([quality.finding] if quality else ())]
        return Judged(duel.what, worst(findings), duel.interval, duel=duel, quality=quality)

    under_way: list[DuelUnderWay] = []
    for what in rows:
        if what == CALL and (lacking := _lacking(both, THINKING, SCRIPT)):
            yield end(Duel(what, Finding(Verdict.NOT_APPLICABLE, lacking)))
            continue
        duel = _duel(what, both, call, rules, how)
        duel.go_on()
        if what in ROLES:
            begun_ns = clock.wall_ns()
            qualities[what] = _quality(gate, what, baseline, candidate)
            end_ns += clock.wall_ns() - begun_ns  # the budget is the duels'
        if duel.is_done:
            yield end(duel.ended())
        else:
            under_way.append(duel)
    while under_way:
        for duel in under_way:
            duel.go_on()
        yield from (end(duel.ended()) for duel in under_way if duel.is_done)
        under_way = [duel for duel in under_way if not duel.is_done]
    local = [duel for duel in ended if duel.what in ROLES and not _lacking(both, duel.what, LOCAL)]
    if local and costs:
        yield _memory(local)
        yield _start_up(local)


def _duel(
    what: str, both: Mapping[str, Side], call: CallRecording, rules: Rules, how: Mapping[str, Any]
) -> DuelUnderWay:
    if what == CALL:
        starts: Mapping[str, StartSide] = {name: partial(LiveSide, call, side) for name, side in both.items()}
        looser = replace(rules, max_slowdown=MAX_TURN_SLOWDOWN) if rules.max_slowdown is None else rules
        turns = [turn.number for turn in shortest_turns(call)]
        return DuelOfSides(what, starts, turns, looser, looks=TURN_LOOKS, **how)
    requests = duel_requests(call, what)
    inputs = {str(number): request for number, request in requests.items()}
    starts = {name: partial(worker_with, side.contender(what).alone(), inputs) for name, side in both.items()}
    cost = paced_ns if what == THINKING and _lacking(both, what, EXACT_TOKENS) else wall_ns
    is_local, rounds = not _lacking(both, what, LOCAL), WORKLOADS[what].duel_rounds
    return DuelOfSides(what, starts, requests, rules, cost=cost, is_local=is_local, rounds_a_launch=rounds, **how)


def _quality(gate: QualityGate, role: str, baseline: Side, candidate: Side) -> Quality:
    try:
        return gate.judge(role, baseline, candidate)
    except (EngineError, ParameterError) as error:
        return Quality(Finding(Verdict.INVALID, str(error)), "not judged")


def _lacking(both: Mapping[str, Side], role: str, ability: str) -> str:
    """Which side's engine cannot do something, in words; empty where both can."""
    return next(filter(None, (side.contender(role).lacks({ability}) for side in both.values())), "")


def peak_rss_bytes(duel: Duel, side: str) -> float | None:
    """The median over launches; None where nothing was measured."""
    return median(one[side].usage.peak_rss_bytes for one in duel.spent) if duel.spent else None


def cpu_s(duel: Duel, side: str) -> float | None:
    """Over all launches; None where nothing was measured."""
    return sum(one[side].usage.cpu_s for one in duel.spent) if duel.spent else None


def kernels(duel: Duel, side: str) -> dict[str, KernelCount]:
    """What voiceperf's own kernels and the library have computed over all launches, by operation."""
    return counted(one[side].usage.kernels for one in duel.spent)


def _memory(duels: Sequence[Duel]) -> Judged:
    """All roles together."""
    before, after = (_sum([peak_rss_bytes(duel, side) for duel in duels]) for side in (BASELINE, CANDIDATE))
    ratio = after / before if before and after else None
    text = f"{before / 1e6:.0f} -> {after / 1e6:.0f} MB" if before and after else "not measured"
    return Judged(MEMORY, point_at_most(ratio, 1 + MAX_RSS_GROWTH, "peak memory / the baseline's"), text=text)


def _start_up(duels: Sequence[Duel]) -> Judged:
    """From nothing to being ready, of every launch; each role counts the same."""
    starts = {
        number: [(one[BASELINE].start_s, one[CANDIDATE].start_s) for one in duel.spent]
        for number, duel in enumerate(duels)
    }
    interval = ratio_interval(starts)
    before, after = (
        _sum([median(pair[side] for pair in pairs) if pairs else None for pairs in starts.values()]) for side in (0, 1)
    )
    text = f"{before:.1f} -> {after:.1f} s" if before and after else "not measured"
    finding = at_most(interval, 1 + MAX_START_SLOWDOWN, "time to start ratio")
    if interval is not None and interval.samples < MIN_PAIRS:  # the time was used up before
        finding = Finding(Verdict.INCONCLUSIVE, f"time to start ratio: {interval.samples} starts are too few to tell")
    return Judged(START_UP, finding, interval, text)


def _sum(values: Sequence[float | None]) -> float | None:
    """None where one is missing: a part would look like the whole."""
    return None if None in values else sum(value for value in values if value is not None)
