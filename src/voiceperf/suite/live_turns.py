"""Whole turns as a caller has them: through real services, over TCP, each side's three processes its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Self

from voiceperf.call import CallRecording, Turn
from voiceperf.errors import EngineError
from voiceperf.live.agent import Caller
from voiceperf.live.processes import ServicesOfProfile
from voiceperf.live.stages import OVERALL, stages_of
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Side
from voiceperf.measure.resources import Resources


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


class LiveTurns:
    """Each side's services, started when they are first needed. Use as a context manager, which ends them."""

    def __init__(self, call: CallRecording, sides: Mapping[str, Side]) -> None:
        self._call, self._sides = call, sides
        self._loop = asyncio.Runner()
        self._alive: dict[str, tuple[ServicesOfProfile, Caller]] = {}

    def run(self, side: str, workload: str, turn: Turn) -> Timing:
        """From the caller's last sample to the first of the answer; its marks are how long each stage took.

        Raises:
            EngineError: the turn was not answered.
        """
        services, caller = self._get(side)
        before = services.resources()
        stages_ms = self._loop.run(turn_stages_ms(caller, self._call, turn))
        cpu_s = services.resources().cpu_s - before.cpu_s
        marks_ns = {stage: int(ms * 1e6) for stage, ms in stages_ms.items()}
        return Timing(marks_ns[OVERALL], int(cpu_s * 1e9), marks_ns)

    def account(self, side: str, workload: str) -> Resources:
        """What a side's processes have used so far, together."""
        return self._get(side)[0].resources()

    def _get(self, side: str) -> tuple[ServicesOfProfile, Caller]:
        if side not in self._alive:
            one = self._sides[side]
            services = ServicesOfProfile(one.profile, one.python, one.env)
            self._alive[side] = services, Caller(services.services, 1, real_time=False)
        return self._alive[side]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for services, caller in self._alive.values():
            self._loop.run(caller.hang_up())
            services.close()
        self._alive.clear()
        self._loop.close()
