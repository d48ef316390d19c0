"""One engine that serves many: a bounded queue in front of its worker processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from voiceperf.engines.base import Output, Request
from voiceperf.errors import EngineError, ServiceError
from voiceperf.live.metrics import Metrics
from voiceperf.live.params import ServiceParams
from voiceperf.log import log_timing
from voiceperf.measure.clock import Clock, HandOn, SystemClock, Timing
from voiceperf.measure.contender import Contender
from voiceperf.measure.process import Stopper, WorkerProcess
from voiceperf.measure.resources import Resources

_KEPT = 1000


@dataclass(frozen=True)
class Answer:
    """What the engine made, how long it took, and how long it was waited for."""

    timing: Timing
    output: Output
    queue_ns: int

    def as_context(self) -> dict[str, float]:
        """For the event that carries the answer, in milliseconds."""
        prepare_ms = self.timing.prepare_ns / 1e6
        times = {"queue_ms": self.queue_ns / 1e6, "engine_ms": prepare_ms + self.timing.wall_ms}
        first_ms = self.timing.ttft_ms
        return times if first_ms is None else {**times, "first_ms": prepare_ms + first_ms}


def ignore(part: str) -> None:
    """Nobody waits for the parts."""


class _Worker:
    """A worker process, and the thread that talks to it."""

    def __init__(self, contender: Contender) -> None:
        self._contender, self._process = contender, WorkerProcess(contender)
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=contender.engine)

    def stream(self, request: Request, hand_on: HandOn, stopper: Stopper) -> tuple[Timing, Output]:
        if not self._process.alive:
            self._process.close()
            self._process = WorkerProcess(self._contender)
        return self._process.stream(request, hand_on, stopper)

    def resources(self) -> Resources | None:
        return self._process.resources() if self._process.alive else None

    def close(self) -> None:
        self.thread.shutdown(wait=True)
        self._process.close()


class EngineQueue:
    """Whoever asks waits for those before; who asks when too many wait is refused at once.

    A worker that dies fails the request that it was at, and is started anew for the next one.
    """

    def __init__(
        self, contender: Contender, params: ServiceParams, metrics: Metrics, clock: Clock | None = None
    ) -> None:
        self._contender, self._max_waiting, self._metrics = contender, params.max_waiting, metrics
        self._clock = clock or SystemClock()
        self._workers = [_Worker(contender) for _ in range(params.workers)]
        self._free = list(self._workers)
        self._turn = asyncio.Semaphore(len(self._workers))  # first come, first served
        self._freed_ms: deque[float] = deque(maxlen=_KEPT)
        self._inside = 0  # those who wait and those who are served

    async def ask(self, request: Request, hand_on: Callable[[str], None] = ignore, *, is_begun: bool = False) -> Answer:
        """The engine's answer; its parts are handed on as they are made. Cancelled, it frees the engine.

        Args:
            request: what is asked.
            hand_on: takes the parts.
            is_begun: it goes on with what has been let in: it waits its turn, but is not refused.

        Raises:
            ServiceError: too many wait already.
            VoicePerfError: what the engine refused, or how it died.
        """
        waiting = self._inside - len(self._workers)
        if waiting >= self._max_waiting and not is_begun:
            self._metrics.refused.inc()
            raise ServiceError(f"{waiting} requests wait already, {self._max_waiting} may; try later", "overloaded")
        arrived_ns = self._clock.wall_ns()
        self._inside += 1
        self._metrics.waiting.set(self._inside)
        try:
            async with self._turn:
                queue_ns = self._clock.wall_ns() - arrived_ns
                worker = self._free.pop()  # the last one used: what it has read of a conversation is still warm
                try:
                    timing, output = await self._run(worker, request, hand_on)
                finally:
                    self._free.append(worker)
        except EngineError:
            self._metrics.failed.inc()
            raise
        finally:
            self._inside -= 1
            self._metrics.waiting.set(self._inside)
        answer = Answer(timing, output, queue_ns)
        self._metrics.observe(timing, queue_ns)
        log_timing(self._contender.engine, "request", {**answer.as_context(), **timing.as_record()})
        return answer

    async def _run(self, worker: _Worker, request: Request, hand_on: Callable[[str], None]) -> tuple[Timing, Output]:
        loop, stopper = asyncio.get_running_loop(), Stopper()

        def from_thread(part: str, _: float) -> None:
            loop.call_soon_threadsafe(hand_on, part)

        running = loop.run_in_executor(worker.thread, worker.stream, request, from_thread, stopper)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            gone_ns = self._clock.wall_ns()
            stopper.stop()
            running.add_done_callback(unasked)
            while not running.done():  # until then the engine is nobody else's, however often it is asked to stop
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([running])
            freed_ms = (self._clock.wall_ns() - gone_ns) / 1e6
            self._freed_ms.append(freed_ms)
            self._metrics.freed_s.observe(freed_ms / 1e3)
            raise

    @property
    def is_at_rest(self) -> bool:
        """Whether nobody is served, and nobody waits."""
        return self._inside == 0

    def take_freed_ms(self) -> list[float]:
        """From each client's end to the engine's being free, since this was asked last; the latest, where many were."""
        found = list(self._freed_ms)
        self._freed_ms.clear()
        return found

    async def rss_bytes(self) -> int | None:
        """What the workers hold; None while one is at work or dead."""
        if self._inside:
            return None
        loop = asyncio.get_running_loop()
        found = [await loop.run_in_executor(worker.thread, worker.resources) for worker in self._workers]
        return None if None in found else sum(one.rss_bytes for one in found if one is not None)

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


def unasked(ended: asyncio.Future[Any]) -> None:
    """Whatever became of it, nobody waits for it any more."""
    if not ended.cancelled():
        ended.exception()
