"""A launch: both sides' processes, started afresh, alive side by side, running the same inputs in balanced blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
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
from voiceperf.measure.together import closed, started

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
    """Both sides, started at once. Use as a context manager; every launch starts processes of its own.

    Args:
        sides: the baseline and the candidate. The one that is named first begins the first block.
        inputs: by number, which the sides' processes know.
        cost: what of a run is compared.
        blocks_a_round: of each input; two make a cycle, in which both sides follow themselves and each other.

    Raises (on entering and while measuring):
        VoicePerfError: a side cannot be started, or fails in a run; the message names it.
    """

    def __init__(
        self,
        sides: Mapping[str, StartSide],
        inputs: Iterable[int],
        cost: Cost = wall_ns,
        clock: Clock | None = None,
        *,
        blocks_a_round: int = 1,
    ) -> None:
        self.spent: dict[str, Spent] = {}  # by side, once it is over
        self._clock = clock or SystemClock()
        self._blocks_a_round = blocks_a_round
        self._start_s: dict[str, float] = {}
        with ExitStack() as starting:
            self._runners = started({name: partial(self._start, name, sides[name]) for name in sides})
            starting.callback(closed, self._runners.values())
            blocks = {
                number: Blocks({name: partial(one.run, str(number)) for name, one in self._runners.items()}, begin_at)
                for begin_at, number in enumerate(inputs)
            }
            super().__init__(blocks, BASELINE, CANDIDATE, cost)
            self._before = {name: one.resources() for name, one in self._runners.items()}
            self._alive = starting.pop_all()

    def _start(self, name: str, side: StartSide) -> Runner:
        begun_ns = self._clock.wall_ns()
        runner = side()
        self._start_s[name] = (self._clock.wall_ns() - begun_ns) / 1e9
        return runner

    def one_round(self) -> None:
        """So many blocks of every input, one input after the other; each side is warm with an input before its first.

        What a side keeps of an input between runs, it then keeps as in a call.
        """
        for blocks in self._blocks.values():
            if not blocks.taken:
                blocks.warm_up()
            for _ in range(self._blocks_a_round):
                blocks.one_more()

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
    """Two contenders of one role, each by itself."""
    inputs = {str(number): request for number, request in requests.items()}
    sides = {CANDIDATE: candidate.alone(), BASELINE: baseline.alone()}
    starts = {name: partial(worker_with, contender, inputs) for name, contender in sides.items()}
    return Launch(starts, requests, cost)


def worker_with(contender: Contender, requests: Mapping[str, Request]) -> WorkerProcess:
    """A contender's process that has been given every input, by its key."""
    worker = WorkerProcess(contender)
    try:
        for key, request in requests.items():
            worker.load(key, request)
    except BaseException:
        worker.close()
        raise
    return worker
