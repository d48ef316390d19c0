"""One engine that serves many: a bounded queue in front of its worker process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from voiceperf.engines.base import Output, Request
from voiceperf.errors import EngineError, ServiceError
from voiceperf.live.metrics import Metrics
from voiceperf.log import log_timing
from voiceperf.measure.clock import Clock, SystemClock, Timing
from voiceperf.measure.contender import Contender
from voiceperf.measure.process import WorkerProcess
from voiceperf.measure.resources import Resources


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


class EngineQueue:
    """Whoever asks waits for those before; who asks when too many wait is refused at once.

    A worker that dies fails the request that it was at, and is started anew for the next one.
    """

    def __init__(self, contender: Contender, max_waiting: int, metrics: Metrics, clock: Clock | None = None) -> None:
        self._contender, self._max_waiting, self._metrics = contender, max_waiting, metrics
        self._clock = clock or SystemClock()
        self._worker = WorkerProcess(contender)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=contender.engine)
        self._engine = asyncio.Lock()
        self._inside = 0  # those who wait and the one that is served

    async def ask(self, request: Request, hand_on: Callable[[str], None] = ignore) -> Answer:
        """The engine's answer; its parts are handed on as they are made. Cancelled, it frees the engine.

        Raises:
            ServiceError: too many wait already.
            VoicePerfError: what the engine refused, or how it died.
        """
        if self._inside > self._max_waiting:
            self._metrics.refused.inc()
            waiting = self._inside - 1
            raise ServiceError(f"{waiting} requests wait already, {self._max_waiting} may; try later", "overloaded")
        arrived_ns = self._clock.wall_ns()
        self._inside += 1
        self._metrics.waiting.set(self._inside)
        try:
            async with self._engine:
                queue_ns = self._clock.wall_ns() - arrived_ns
                timing, output = await self._run(request, hand_on)
        except EngineError:
            self._metrics.failed.inc()
            raise
        finally:
            self._inside -= 1
            self._metrics.waiting.set(self._inside)
        answer = Answer(timing, output, queue_ns)
        self._metrics.observe(timing, queue_ns)
        log_timing(self._contender.engine, "request", {"queue_ms": queue_ns / 1e6, **timing.as_record()})
        return answer

    async def _run(self, request: Request, hand_on: Callable[[str], None]) -> tuple[Timing, Output]:
        loop, stopped = asyncio.get_running_loop(), threading.Event()

        def from_thread(part: str) -> None:
            loop.call_soon_threadsafe(hand_on, part)

        running = loop.run_in_executor(self._thread, self._stream, request, from_thread, stopped.is_set)
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.wait([running])  # until then the engine is nobody else's
            running.exception()  # whatever it was, nobody waits for it
            raise

    def _stream(
        self, request: Request, hand_on: Callable[[str], None], is_stopped: Callable[[], bool]
    ) -> tuple[Timing, Output]:
        if not self._worker.alive:
            self._worker.close()
            self._worker = WorkerProcess(self._contender)
        return self._worker.stream(request, hand_on, is_stopped)

    async def resources(self) -> Resources | None:
        """The worker's account; None while it is at work or dead."""
        if self._engine.locked() or not self._worker.alive:
            return None
        async with self._engine:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._worker.resources)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._worker.close()
