"""Whole turns as a caller has them: through real services, over TCP, each side's three processes its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from voiceperf.call import CallRecording, Turn
from voiceperf.errors import EngineError
from voiceperf.live.agent import Caller
from voiceperf.live.processes import ServicesOfProfile
from voiceperf.live.stages import OVERALL, stages_of
from voiceperf.measure.clock import Timing
from voiceperf.measure.resources import Resources
from voiceperf.profiles import Profile


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
    """Each side's services are started when they are first needed, and kept until all are closed."""

    def __init__(self, call: CallRecording, profiles: Mapping[str, Profile]) -> None:
        self._call, self._profiles = call, profiles
        self._loop = asyncio.Runner()
        self._alive: dict[str, tuple[ServicesOfProfile, Caller]] = {}
        self._warm: set[tuple[str, int]] = set()
        self.stages_ms: dict[str, dict[int, list[dict[str, float]]]] = {}  # of every measured turn, by profile and turn

    def run_turn(self, profile: str, turn: Turn) -> Timing:
        """From the caller's last sample to the first of the answer.

        Raises:
            EngineError: the turn was not answered.
        """
        timing, stages_ms = self._run(profile, turn)
        self.stages_ms.setdefault(profile, {}).setdefault(turn.number, []).append(stages_ms)
        return timing

    def _run(self, profile: str, turn: Turn) -> tuple[Timing, dict[str, float]]:
        services, caller = self._get(profile)
        before = services.resources()
        stages_ms = self._loop.run(turn_stages_ms(caller, self._call, turn))
        cpu_s = services.resources().cpu_s - before.cpu_s
        return Timing(int(stages_ms[OVERALL] * 1e6), int(cpu_s * 1e9)), stages_ms

    def warm_up(self, profile: str, turn: Turn) -> None:
        """Run a turn that a side's services have not run yet, keeping nothing."""
        if (profile, turn.number) not in self._warm:
            self._run(profile, turn)
            self._warm.add((profile, turn.number))

    def account(self, profile: str) -> Resources:
        """What a side's processes have used so far, together."""
        return self._get(profile)[0].resources()

    def _get(self, profile: str) -> tuple[ServicesOfProfile, Caller]:
        if profile not in self._alive:
            services = ServicesOfProfile(self._profiles[profile])
            self._alive[profile] = services, Caller(services.services, 1, real_time=False)
        return self._alive[profile]

    def end(self) -> None:
        """Let every side's processes end; the next turn starts new ones."""
        for services, caller in self._alive.values():
            self._loop.run(caller.hang_up())
            services.close()
        self._alive.clear()
        self._warm.clear()

    def close(self) -> None:
        """End for good."""
        self.end()
        self._loop.close()
