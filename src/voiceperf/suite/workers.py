"""The contenders of one call, each in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Self

from voiceperf.call import CallRecording, Turn
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Contender, Side
from voiceperf.measure.launch import worker_with
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import Resources
from voiceperf.measure.together import closed, started
from voiceperf.suite.workloads import WORKLOADS, requests


class Workers:
    """Worker processes by side and role. Use as a context manager, which ends them.

    Args:
        call: whose turns they do.
        sides: by name.
        roles: which of a side's engines are started.
    """

    def __init__(self, call: CallRecording, sides: Mapping[str, Side], roles: Iterable[str]) -> None:
        starts = {
            (name, role): partial(_worker, call, side.contender(role), role)
            for role in roles
            for name, side in sides.items()
        }
        self._alive = started(starts)

    def get(self, side: str, role: str) -> WorkerProcess:
        """The worker, which has every input of the call."""
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
        closed(self._alive.values())


def _worker(call: CallRecording, contender: Contender, role: str) -> WorkerProcess:
    inputs = {
        _key(workload, turn): request for turn in call.turns for workload, request in requests(call, role, turn).items()
    }
    return worker_with(contender, inputs)


def _key(workload: str, turn: Turn) -> str:
    return f"{workload}-{turn.number}"
