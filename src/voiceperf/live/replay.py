"""Replaying a call: so many times, so many at once, against services that are there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from voiceperf.call import CallRecording
from voiceperf.live.agent import Caller, Services, TurnRecord

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
