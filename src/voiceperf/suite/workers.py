"""The contenders of a suite, each started when it is first needed and kept until all are closed."""

from __future__ import annotations

from collections.abc import Iterable

from voiceperf.call import CallRecording, Turn
from voiceperf.engines.base import Prompt, Reply
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Side
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import Resources
from voiceperf.suite.workloads import ENGINES_OF, requests


class Workers:
    """Worker processes by side and engine, with the call's inputs loaded."""

    def __init__(self, call: CallRecording, sides: Iterable[Side]) -> None:
        self.call = call
        self._sides = {side.name: side for side in sides}
        self._alive: dict[tuple[str, str], WorkerProcess] = {}
        self._warm: set[tuple[str, str, str, int]] = set()

    def get(self, profile: str, engine: str) -> WorkerProcess:
        """The worker, started and given every input of the call; started anew where it has died."""
        worker = self._alive.get((profile, engine))
        if worker is not None and worker.alive:
            return worker
        worker = WorkerProcess(self._sides[profile].contender(engine))
        self._alive[profile, engine] = worker
        self._warm = {place for place in self._warm if place[:2] != (profile, engine)}
        for turn in self.call.turns:
            for workload, request in requests(self.call, engine, turn).items():
                worker.load(_key(workload, turn), request)
        return worker

    def run(self, profile: str, workload: str, turn: Turn) -> Timing:
        """What one engine does in one turn."""
        (engine,) = ENGINES_OF[workload]
        return self.get(profile, engine).run(_key(workload, turn))

    def warm_up(self, profile: str, workload: str, turn: Turn) -> None:
        """Run one turn's part of a workload in a process that has not run it yet, keeping nothing."""
        (engine,) = ENGINES_OF[workload]
        self.get(profile, engine)
        if (profile, engine, workload, turn.number) not in self._warm:
            self.run(profile, workload, turn)
            self._warm.add((profile, engine, workload, turn.number))

    def natural_reply(self, profile: str, turn: Turn) -> dict[str, object]:
        """What llama answers where it may end by itself, for the record."""
        timing, reply = self.get(profile, "llama").once(Prompt(tuple(self.call.messages(turn))))
        assert isinstance(reply, Reply)
        return {"text": reply.text, **timing.as_record()}

    def account(self, profile: str, workload: str) -> Resources:
        """What the workload's process has used so far."""
        (engine,) = ENGINES_OF[workload]
        return self.get(profile, engine).resources()

    def close(self) -> None:
        for worker in self._alive.values():
            worker.close()
        self._alive.clear()
        self._warm.clear()


def _key(workload: str, turn: Turn) -> str:
    return f"{workload}-{turn.number}"
