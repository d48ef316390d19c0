"""A launch: both sides' processes, started afresh, alive side by side, running the same inputs in balanced blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Protocol, Self

from voiceperf.engines.base import Request
from voiceperf.measure.blocks import Blocks, Cost, Rounds, wall_ns
from voiceperf.measure.clock import Clock, SystemClock, Timing
from voiceperf.measure.contender import Contender
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import Resources, Usage, usage_between

BASELINE, CANDIDATE = "baseline", "candidate"


class Runner(Protocol):
    """One side's processes, which know every input by its number."""

    def run(self, key: str) -> Timing: ...

    def resources(self) -> Resources: ...

    def close(self) -> None: ...


StartSide = Callable[[], Runner]


@dataclass(frozen=True)
class Spent:
    """What one side has taken in one launch: from nothing to its first answers being possible, and in its rounds."""

    start_s: float
    usage: Usage


class Launch(Rounds):
    """Both sides started and warm. Use as a context manager; every launch starts processes of its own.

    Args:
        sides: the baseline and the candidate. What is started first has its memory elsewhere than what comes second;
            and one side has to begin the first block. Both fall to whichever side is named first.
        inputs: by number, which the sides' processes know.
        cost: what of a run is compared.

    Raises (on entering and while measuring):
        VoicePerfError: a side cannot be started, or fails in a run; the message names it.
    """

    def __init__(
        self,
        sides: Mapping[str, StartSide],
        inputs: Iterable[int],
        cost: Cost = wall_ns,
        clock: Clock | None = None,
    ) -> None:
        self.spent: dict[str, Spent] = {}  # by side, once it is over
        self._clock = clock or SystemClock()
        self._start_s: dict[str, float] = {}
        self._runners: dict[str, Runner] = {}
        with ExitStack() as starting:
            for name, start in sides.items():
                self._runners[name] = starting.enter_context(closing(self._started(name, start)))
            blocks = {
                number: Blocks({name: partial(one.run, str(number)) for name, one in self._runners.items()}, begin_at)
                for begin_at, number in enumerate(inputs)
            }
            super().__init__(blocks, BASELINE, CANDIDATE, cost)
            for one in blocks.values():
                one.warm_up()
            self._before = {name: one.resources() for name, one in self._runners.items()}
            self._alive = starting.pop_all()

    def _started(self, name: str, start: StartSide) -> Runner:
        begun_ns = self._clock.wall_ns()
        runner = start()
        self._start_s[name] = (self._clock.wall_ns() - begun_ns) / 1e9
        return runner

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._alive:
            if error is None:
                self.spent = {
                    name: Spent(self._start_s[name], usage_between(self._before[name], one.resources()))
                    for name, one in self._runners.items()
                }


def launch(baseline: Contender, candidate: Contender, requests: Mapping[int, Request], cost: Cost = wall_ns) -> Launch:
    """Two contenders of one role."""
    sides = {CANDIDATE: partial(worker_with, candidate, requests), BASELINE: partial(worker_with, baseline, requests)}
    return Launch(sides, requests, cost)


def worker_with(contender: Contender, requests: Mapping[int, Request]) -> WorkerProcess:
    """A contender's process that has been given every input."""
    worker = WorkerProcess(contender)
    try:
        for number, request in requests.items():
            worker.load(str(number), request)
    except BaseException:
        worker.close()
        raise
    return worker
