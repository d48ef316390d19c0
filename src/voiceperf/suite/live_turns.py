"""Whole turns as a caller has them: through real services, over TCP, each side's three processes its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Self

from voiceperf.call import CallRecording, Turn
from voiceperf.errors import EngineError
from voiceperf.live.agent import Caller
from voiceperf.live.processes import ServicesOfProfile
from voiceperf.live.stages import OVERALL, stages_of
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Side
from voiceperf.measure.resources import Resources
from voiceperf.measure.together import closed, started


async def turn_stages_ms(caller: Caller, call: CallRecording, turn: Turn) -> dict[str, float]:
    """Play one turn; where its time went.

    Raises:
        EngineError: the turn was not answered.
    """
    record = await caller.turn(turn, call.messages(turn))
    stages_ms = stages_of(record)
    if stages_ms is None:
        raise EngineError(f"turn {turn.number}: {record.error or 'there was no sound'}")
    return stages_ms


class LiveSide:
    """One side's three services and a caller who talks to them, until it is closed."""

    def __init__(self, call: CallRecording, side: Side) -> None:
        self._call, self._turns = call, {str(turn.number): turn for turn in call.turns}
        self._services = ServicesOfProfile(side.profile, side.python, side.env)
        self._caller = Caller(self._services.services, 1, real_time=False)
        self._loop = asyncio.Runner()

    def run(self, key: str) -> Timing:
        """A turn by its number, from the caller's last sample to the first of the answer.

        Its marks are how long each stage took.

        Raises:
            EngineError: the turn was not answered.
        """
        before = self._services.resources()
        stages_ms = self._loop.run(turn_stages_ms(self._caller, self._call, self._turns[key]))
        cpu_s = self._services.resources().cpu_s - before.cpu_s
        marks_ns = {stage: int(ms * 1e6) for stage, ms in stages_ms.items()}
        return Timing(marks_ns[OVERALL], int(cpu_s * 1e9), marks_ns)

    def resources(self) -> Resources:
        """What its processes have used so far, together."""
        return self._services.resources()

    def close(self) -> None:
        """Hang up and end them."""
        self._loop.run(self._caller.hang_up())
        self._services.close()
        self._loop.close()


class LiveTurns:
    """Each side's services. Use as a context manager, which ends them."""

    def __init__(self, call: CallRecording, sides: Mapping[str, Side]) -> None:
        self._alive = started({name: partial(LiveSide, call, side) for name, side in sides.items()})

    def run(self, side: str, workload: str, turn: Turn) -> Timing:
        """One side's whole turn."""
        return self._alive[side].run(str(turn.number))

    def account(self, side: str, workload: str) -> Resources:
        """What a side's processes have used so far, together."""
        return self._alive[side].resources()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        closed(self._alive.values())
