"""Replaying a call: so many times, so many at once, on services that are there; or every turn on two sets of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, pairwise

from voiceperf.call import CallRecording, Turn
from voiceperf.errors import ServiceError
from voiceperf.judge.criteria import PROCESS_SPREAD
from voiceperf.judge.statistics import Interval, ratio_interval, widened
from voiceperf.judge.text import word_differences
from voiceperf.judge.verdict import Finding, Verdict, point_at_most, worst
from voiceperf.live.agent import Caller
from voiceperf.live.barge_in import Attention, BargeIn
from voiceperf.live.record import Since, TurnRecord
from voiceperf.live.services import Services, freed
from voiceperf.live.stages import spread
from voiceperf.measure.blocks import balanced_orders
from voiceperf.measure.clock import Clock, SystemClock

Watch = Callable[[TurnRecord], None]
"""Told of every turn as it ends."""

BARGE_IN_MS = 600.0  # of a reply: its first words
MAX_SILENCE_MS = 100.0  # what a person takes to fall silent
MAX_FREED_MS = 300.0
MORE = 1.1  # of turns a second: what more callers must bring


@dataclass(frozen=True)
class Pace:
    """How a call is played."""

    calls: int = 10
    concurrency: int = 1
    real_time: bool = False
    scripted: bool = True
    late_ms: float = 0.0  # by how much speech arrives after it is spoken, in real time
    says_the_end: bool = True  # the caller, of their words; else the service that hears finds it
    barge_in_ms: float | None = None  # after so much of a reply's sound the caller says what comes next; not if None


async def replay(call: CallRecording, services: Services, pace: Pace, watch: Watch) -> list[TurnRecord]:
    """Every turn of every call, in the order of calls; a turn that fails is a record with its reason."""
    numbers = iter(range(1, pace.calls + 1))
    found: list[TurnRecord] = []
    attentions = [None if pace.barge_in_ms is None else Attention() for _ in range(pace.concurrency)]

    async def one_line(attention: Attention | None) -> None:
        """One caller after the other."""
        for number in numbers:
            caller = _caller(services, number, pace, attention)
            heard: dict[int, str] = {}  # of the replies that were spoken into
            for turn, words in zip(call.turns, _barge_ins(call, pace), strict=True):
                record = await caller.turn(turn, call.messages(turn, heard), words)
                if record.silence_ms is not None:
                    heard[turn.number] = record.heard_reply
                found.append(record)
                watch(record)
            await caller.hang_up()

    async with asyncio.TaskGroup() as lines:
        for attention in attentions:
            lines.create_task(one_line(attention))
    return sorted(found, key=lambda record: (record.call, record.turn))


@dataclass(frozen=True)
class Crowd:
    """So many callers at once: their turns, and how long they took together."""

    callers: int
    records: Sequence[TurnRecord]
    seconds: float

    @property
    def turns_per_s(self) -> float:
        """Those that were answered."""
        return sum(not record.error for record in self.records) / self.seconds


async def crowd(call: CallRecording, services: Services, pace: Pace, watch: Watch, clock: Clock | None = None) -> Crowd:
    """`replay`, with as many calls for each caller as for every other, and the time that it takes."""
    since = Since(clock or SystemClock())
    pace = replace(pace, calls=-(-pace.calls // pace.concurrency) * pace.concurrency)
    records = await replay(call, services, pace, watch)
    return Crowd(pace.concurrency, records, since.ms() / 1e3)


def saturation(crowds: Sequence[Crowd]) -> int | None:
    """From how many callers on the next larger crowd is answered hardly more turns a second; None where all are."""
    larger = pairwise(crowds)
    return next((one.callers for one, other in larger if other.turns_per_s < MORE * one.turns_per_s), None)


def _barge_ins(call: CallRecording, pace: Pace) -> list[BargeIn | None]:
    """What is said into each turn's reply: the next turn's words; into the last one's, nothing."""
    if pace.barge_in_ms is None:
        return [None] * len(call.turns)
    return [*(BargeIn(turn.audio, pace.barge_in_ms) for turn in call.turns[1:]), None]


@dataclass(frozen=True)
class SpokenInto:
    """Calls whose replies were spoken into, and one in which nobody did.

    `freed_ms` has by role how long its engine was at work yet after each hang-up that found it so.
    """

    plain: Sequence[TurnRecord]
    records: Sequence[TurnRecord]
    freed_ms: Mapping[str, Sequence[float]]

    def silence_ms(self) -> list[float]:
        """From the caller's first sound to the reply's end, of each reply that was spoken into."""
        return [record.silence_ms for record in self.records if record.silence_ms is not None]

    def words(self) -> tuple[int, int]:
        """How many words of what is said into replies are heard where nobody speaks, and how many of them were lost."""
        expected = {record.turn: record.transcript for record in self.plain}
        spoken_into = {(record.call, record.turn) for record in self.records if record.silence_ms is not None}
        words = [
            word.kind
            for record in self.records
            if (record.call, record.turn - 1) in spoken_into and not record.error
            for word in word_differences(expected[record.turn], record.transcript)
            if word.kind != "extra"
        ]
        return len(words), sum(kind != "same" for kind in words)

    def finding(self) -> Finding:
        """Silence and freed engines within their limits, at the 95th percentile; an engine that was at rest is free."""
        errors = [record.error for record in (*self.plain, *self.records) if record.error]
        if not (silence_ms := self.silence_ms()):
            return Finding(Verdict.INVALID, errors[0] if errors else "no reply was spoken into")
        freed = [
            point_at_most(spread(times_ms).p95, MAX_FREED_MS, f"{role}: ms until its engine is free, 95th percentile")
            for role, times_ms in self.freed_ms.items()
            if times_ms
        ]
        silence = point_at_most(spread(silence_ms).p95, MAX_SILENCE_MS, "ms until the reply is silent, 95th percentile")
        return worst([point_at_most(len(errors), 0, "failed turns"), silence, *freed])


async def replay_spoken_into(call: CallRecording, services: Services, pace: Pace, watch: Watch) -> SpokenInto:
    """Play a call as it is, then so many times with every reply but the last spoken into, as soon as it has begun."""
    plain = await replay(call, services, Pace(1, scripted=pace.scripted), watch)
    await _freed_ms(services)  # what clients of before have left
    into = replace(pace, real_time=True, barge_in_ms=BARGE_IN_MS)
    records = await replay(call, services, into, watch)
    return SpokenInto(plain, records, await _freed_ms(services))


async def _freed_ms(services: Services) -> dict[str, list[float]]:
    """By role, what its service has to say since it was asked last; nothing where it cannot, or is gone."""
    found: dict[str, list[float]] = {}
    for role, uri in services.interrupted().items():
        try:
            found[role] = await freed(uri, services.params)
        except ServiceError:
            found[role] = []
    return found


@dataclass
class Paired:
    """What both sides did, turn by turn."""

    baseline: list[TurnRecord] = field(default_factory=list)
    candidate: list[TurnRecord] = field(default_factory=list)

    def ratio(self) -> Interval | None:
        """The candidate's time to the first sound over the baseline's; None where a turn has no pair."""
        pairs: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        for before, after in zip(self.baseline, self.candidate, strict=True):
            is_void = any(record.error or record.is_cut_off for record in (before, after))
            if before.first_audio_ms and after.first_audio_ms and not is_void:
                pairs[before.turn].append((before.first_audio_ms, after.first_audio_ms))
        everything = {record.turn for record in self.baseline}
        found = ratio_interval(pairs) if pairs.keys() == everything else None
        return found and widened(found, PROCESS_SPREAD)  # each side's services are started once

    def errors(self) -> list[str]:
        """What failed, on either side."""
        return [record.error for record in (*self.baseline, *self.candidate) if record.error]


async def replay_paired(
    call: CallRecording, baseline: Services, candidate: Services, pace: Pace, watch: Watch
) -> Paired:
    """As many calls on each side as the pace says, so many at once; those at once say each turn at the same moment."""
    found, orders = Paired(), cycle(balanced_orders(2))
    left = pace.calls
    while left > 0:
        numbers = range(pace.calls - left + 1, pace.calls - left + 1 + min(pace.concurrency, left))
        left -= len(numbers)
        lines = {
            id(services): [_caller(services, number, pace) for number in numbers] for services in (baseline, candidate)
        }
        for turn in call.turns:
            sides = [(candidate, found.candidate), (baseline, found.baseline)]
            for services, records in (sides[side] for side in next(orders)):
                records.extend(await _turn(call, turn, lines[id(services)], watch))
        for caller in (caller for callers in lines.values() for caller in callers):
            await caller.hang_up()
    return found


def _caller(services: Services, number: int, pace: Pace, attention: Attention | None = None) -> Caller:
    return Caller(
        services,
        number,
        real_time=pace.real_time,
        scripted=pace.scripted,
        late_ms=pace.late_ms,
        says_the_end=pace.says_the_end,
        attention=attention,
    )


async def _turn(call: CallRecording, turn: Turn, callers: Sequence[Caller], watch: Watch) -> list[TurnRecord]:
    records = await asyncio.gather(*(caller.turn(turn, call.messages(turn)) for caller in callers))
    for record in records:
        watch(record)
    return list(records)
