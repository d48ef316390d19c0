"""One client's connection: events in, answers out, and the work between, which ends when the client does."""

from __future__ import annotations

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cachetools import LRUCache
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong

from voiceperf.conversation import Message
from voiceperf.errors import ServiceError, VoicePerfError
from voiceperf.live.info import FREED
from voiceperf.live.params import ServiceParams
from voiceperf.live.queue import EngineQueue
from voiceperf.live.wire import read_event, write_event
from voiceperf.params import EngineParams

Job = Callable[[], Awaitable[None]]
_MAX_JOBS = 4  # that may wait, of one client; while they do, nothing more of it is read


@dataclass(frozen=True)
class Shared:
    """What all sessions of a service have in common."""

    queue: EngineQueue
    params: ServiceParams
    engine: EngineParams  # as the profile has it
    info: Info
    system_prompt: str
    conversations: LRUCache[str, list[Message]]  # by what clients call them; the latest, as many as clients may be


class Session(ABC):
    """Answers one client. Requests are answered in order, while more is read: so that a client's end is noticed."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, shared: Shared) -> None:
        self.shared, self.queue, self.params = shared, shared.queue, shared.params
        self._reader, self._writer = reader, writer
        self._jobs: asyncio.Queue[Job] = asyncio.Queue(_MAX_JOBS)
        self._under_way = 0

    async def answered(self) -> None:
        """Wait until no request waits for its answer."""
        await self._jobs.join()

    @property
    def waits_for_engine(self) -> bool:
        """Whether the client has a request under way, and so need not say anything."""
        return self._under_way > 0

    @abstractmethod
    async def on_event(self, event: Event) -> None:
        """Take an event of this service's kind; what takes time becomes a job."""

    async def run(self) -> None:
        """Until the client hangs up, or sends what is no event.

        Raises:
            ServiceError: it did so.
            TimeoutError: it said nothing for long, or did not take its answers.
            ConnectionError: it is gone.
        """
        both = {asyncio.create_task(self._read()), asyncio.create_task(self._work())}
        try:
            ended, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            try:
                event = await read_event(self._reader, self.params)
            except TimeoutError:
                if self.waits_for_engine:
                    continue
                raise
            if event is None:
                return
            try:
                await self._take(event)
            except VoicePerfError as error:
                await self.refuse(error)

    async def _take(self, event: Event) -> None:
        if Describe.is_type(event.type):
            await self.send(self.shared.info.event())
        elif Ping.is_type(event.type):
            await self.send(Pong(text=Ping.from_event(event).text).event())
        elif event.type == FREED:
            await self.send(Event(FREED, {"ms": self.queue.take_freed_ms()}))
        else:
            try:
                await self.on_event(event)
            except (KeyError, TypeError, AttributeError) as wrong:  # what the event classes raise
                raise ServiceError(
                    f"a {event.type} event lacks a field, or has a wrong one: {wrong}", "malformed"
                ) from None

    async def start(self, job: Job) -> None:
        """Plan the answer to a request, once there are not too many of the client's under way."""
        self._under_way += 1
        await self._jobs.put(job)

    async def _work(self) -> None:
        while True:
            job = await self._jobs.get()
            try:
                await job()
            except VoicePerfError as error:
                await self.refuse(error)
            self._jobs.task_done()
            self._under_way -= 1

    async def refuse(self, error: VoicePerfError) -> None:
        """Tell the client why there is no answer."""
        code = error.code if isinstance(error, ServiceError) else type(error).__name__
        await self.send(Error(text=str(error), code=code).event())

    async def send(self, event: Event) -> None:
        await write_event(event, self._writer, self.params)

    async def close(self) -> None:
        """Hang up; what a client does not take in time is dropped, so that its socket is free."""
        self._writer.close()
        try:
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(self.params.send_s):
                    await self._writer.wait_closed()
        except TimeoutError:
            self._writer.transport.abort()
