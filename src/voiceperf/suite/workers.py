"""The contenders of one call, each started when it is first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from voiceperf.call import CallRecording, Turn
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Side
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import Resources
from voiceperf.suite.workloads import WORKLOADS, requests


class Workers:
    """Worker processes by side and role. Use as a context manager, which ends them.

    Args:
        call: whose turns they do.
        sides: by name.
    """

    def __init__(self, call: CallRecording, sides: Mapping[str, Side]) -> None:
        self._call, self._sides = call, sides
        self._alive: dict[tuple[str, str], WorkerProcess] = {}

    def get(self, side: str, role: str) -> WorkerProcess:
        """The worker, started and given every input of the call."""
        if (side, role) not in self._alive:
            worker = WorkerProcess(self._sides[side].contender(role))
            self._alive[side, role] = worker
            for turn in self._call.turns:
                for workload, request in requests(self._call, role, turn).items():
                    worker.load(_key(workload, turn), request)
        return self._alive[side, role]

    def run(self, side: str, workload: str, turn: Turn) -> Timing:
        """What one engine does in one turn."""
        return self._doing(side, workload).run(_key(workload, turn))

    def account(self, side: str, workload: str) -> Resources:
        """What the workload's process has used so far."""
        return self._doing(side, workload).resources()

    def _doing(self, side: str, workload: str) -> WorkerProcess:
        (role,) = WORKLOADS[workload].roles
        return self.get(side, role)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        for worker in self._alive.values():
            worker.close()
        self._alive.clear()


def _key(workload: str, turn: Turn) -> str:
    return f"{workload}-{turn.number}"
