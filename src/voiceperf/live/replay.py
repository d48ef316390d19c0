"""Replaying a call: so many times, so many at once, on services that are there; or every turn on two sets of them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from voiceperf.call import CallRecording, Turn
from voiceperf.judge.criteria import PROCESS_SPREAD
from voiceperf.judge.statistics import Interval, ratio_interval, widened
from voiceperf.live.agent import Caller, Services, TurnRecord
from voiceperf.measure.blocks import balanced_orders

Watch = Callable[[TurnRecord], None]
"""Told of every turn as it ends."""


@dataclass(frozen=True)
class Pace:
    """How a call is played."""

    calls: int = 10
    concurrency: int = 1
    real_time: bool = False
    scripted: bool = True


async def replay(call: CallRecording, services: Services, pace: Pace, watch: Watch) -> list[TurnRecord]:
    """Every turn of every call, in the order of calls; a turn that fails is a record with its reason."""
    numbers = iter(range(1, pace.calls + 1))
    found: list[TurnRecord] = []

    async def one_line() -> None:
        """One caller after the other."""
        for number in numbers:
            caller = Caller(services, number, real_time=pace.real_time, scripted=pace.scripted)
            for turn in call.turns:
                record = await caller.turn(turn, call.messages(turn))
                found.append(record)
                watch(record)
            await caller.hang_up()

    async with asyncio.TaskGroup() as lines:
        for _ in range(pace.concurrency):
            lines.create_task(one_line())
    return sorted(found, key=lambda record: (record.call, record.turn))


@dataclass
class Paired:
    """What both sides did, turn by turn."""

    baseline: list[TurnRecord] = field(default_factory=list)
    candidate: list[TurnRecord] = field(default_factory=list)

    def ratio(self) -> Interval | None:
        """The candidate's time to the first sound over the baseline's; None where a turn has no pair."""
        pairs: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
        for before, after in zip(self.baseline, self.candidate, strict=True):
            if before.first_audio_ms and after.first_audio_ms and not before.error and not after.error:
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


def _caller(services: Services, number: int, pace: Pace) -> Caller:
    return Caller(services, number, real_time=pace.real_time, scripted=pace.scripted)


async def _turn(call: CallRecording, turn: Turn, callers: Sequence[Caller], watch: Watch) -> list[TurnRecord]:
    records = await asyncio.gather(*(caller.turn(turn, call.messages(turn)) for caller in callers))
    for record in records:
        watch(record)
    return list(records)
