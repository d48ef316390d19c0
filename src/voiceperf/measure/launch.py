"""A launch: two contenders of one role, alive side by side, running the same inputs in balanced blocks."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from types import TracebackType
from typing import Self

from voiceperf.engines.base import Request
from voiceperf.measure.blocks import Blocks, Cost, Rounds, wall_ns
from voiceperf.measure.contender import Contender
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import Usage, usage_between


class Launch(Rounds):
    """Both workers loaded and warm. Use as a context manager; every launch starts processes of its own.

    Raises (on entering and while measuring):
        VoicePerfError: a contender cannot be started, or fails in a run; the message names it.
    """

    def __init__(
        self, baseline: Contender, candidate: Contender, requests: Mapping[int, Request], cost: Cost = wall_ns
    ) -> None:
        self.final_usage: tuple[Usage, Usage] | None = None  # of baseline and candidate, once it is over
        self._alive = ExitStack()
        with ExitStack() as starting:
            self.baseline = starting.enter_context(WorkerProcess(baseline))
            self.candidate = starting.enter_context(WorkerProcess(candidate))
            for number, request in requests.items():
                for worker in (self.baseline, self.candidate):
                    worker.load(str(number), request)
            self._alive = starting.pop_all()
        sides = {"candidate": self.candidate, "baseline": self.baseline}
        blocks = {
            number: Blocks({side: partial(worker.run, str(number)) for side, worker in sides.items()}, begin_at)
            for begin_at, number in enumerate(requests)
        }
        super().__init__(blocks, "baseline", "candidate", cost)
        try:
            for one in blocks.values():
                one.warm_up()
            self._before = [worker.resources() for worker in (self.baseline, self.candidate)]
        except BaseException:
            self._alive.close()
            raise

    def _usage(self) -> tuple[Usage, Usage]:
        now = [worker.resources() for worker in (self.baseline, self.candidate)]
        first, second = (usage_between(*pair) for pair in zip(self._before, now, strict=True))
        return first, second

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._alive:
            if error is None:
                self.final_usage = self._usage()
