"""The engines at once on shared cores: nothing may fail, change or grow."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np

from voiceperf.call import Turn
from voiceperf.engines.base import Output, same_output
from voiceperf.errors import VoicePerfError
from voiceperf.judge.criteria import LoadResult
from voiceperf.roles import ROLES
from voiceperf.suite.workers import Workers


@dataclass
class _Client:
    """Keeps the engine of one role busy and tallies what it sees against what the engine did when it was alone."""

    workers: Workers
    profile: str
    role: str
    turns: Sequence[Turn]
    alone: list[tuple[int, Output]] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)

    def run_alone(self) -> None:
        """Run every turn once without company."""
        self.alone = [self._run(turn) for turn in self.turns]

    def _run(self, turn: Turn) -> tuple[int, Output]:
        timing = self.workers.run(self.profile, self.role, turn)
        return timing.wall_ns, self.workers.get(self.profile, self.role).output()

    def rss_bytes(self) -> int:
        return self.workers.get(self.profile, self.role).resources().rss_bytes

    def keep_busy(self, end_s: float) -> None:
        """Run turn after turn until the moment comes, or until something fails."""
        for turn, (alone_ns, alone) in cycle(zip(self.turns, self.alone, strict=True)):
            if time.monotonic() >= end_s:
                return
            try:
                wall_ns, output = self._run(turn)
            except VoicePerfError as error:
                self.errors.append(str(error))
                return
            self.factors.append(wall_ns / alone_ns)
            if not same_output(alone, output):
                self.changed.append(f"{self.role} in turn {turn.number}")


def run_load(workers: Workers, profile: str, turns: Sequence[Turn], seconds: float) -> LoadResult:
    """Keep every engine of one profile busy with the call's turns for a while, all at the same time."""
    clients = [_Client(workers, profile, role, turns) for role in ROLES]
    for client in clients:
        client.run_alone()
    _run_at_once(clients, seconds / 4)
    settled = sum(client.rss_bytes() for client in clients)
    _run_at_once(clients, seconds * 3 / 4)
    errors = tuple(error for client in clients for error in client.errors)
    finished = None if errors else sum(client.rss_bytes() for client in clients)
    return LoadResult(
        runs=sum(len(client.factors) for client in clients),
        errors=errors,
        changed_outputs=tuple(where for client in clients for where in client.changed),
        p95_factors={client.role: float(np.percentile(client.factors, 95)) for client in clients if client.factors},
        rss_growth=None if finished is None else finished / settled - 1,
        rss_bytes=finished,
    )


def _run_at_once(clients: Sequence[_Client], seconds: float) -> None:
    end_s = time.monotonic() + seconds
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(lambda client: client.keep_busy(end_s), clients))
