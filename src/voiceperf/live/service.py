"""One engine as a service on TCP: who may come in, what each is answered by, and how it ends."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace

from cachetools import LRUCache
from wyoming.error import Error

from voiceperf.conversation import Message
from voiceperf.errors import InputError, ServiceError
from voiceperf.live.hearing import Hearing
from voiceperf.live.info import info_of
from voiceperf.live.metrics import Metrics
from voiceperf.live.params import ServiceParams
from voiceperf.live.queue import EngineQueue
from voiceperf.live.session import Session, Shared
from voiceperf.live.speaking import Speaking
from voiceperf.live.thinking import Thinking
from voiceperf.live.wire import HEADER_BYTES, configure, write_event
from voiceperf.measure.contender import Contender
from voiceperf.roles import HEARING, SPEAKING, THINKING

SESSIONS: dict[str, type[Session]] = {HEARING: Hearing, THINKING: Thinking, SPEAKING: Speaking}
PORTS = {HEARING: 10300, THINKING: 10500, SPEAKING: 10200}  # where other Wyoming programs of the kind listen, too
_ENDING_S = 5.0  # for requests under way when the service is told to end
_RSS_EVERY_S = 5.0


class Service:
    """The engine with its queue, and every client's session.

    Raises (on construction):
        VoicePerfError: the engine cannot be loaded.
    """

    def __init__(self, contender: Contender, params: ServiceParams, system_prompt: str) -> None:
        self.params, self.metrics = params, Metrics(contender.engine)
        queue = EngineQueue(_alone(contender), params, self.metrics)
        info, conversations = info_of(contender.params), LRUCache[str, list[Message]](params.max_clients)
        self._shared = Shared(queue, params, contender.params, info, system_prompt, conversations)
        self._session = SESSIONS[contender.role]
        self._clients: dict[asyncio.Task[None], Session] = {}

    async def run(self, host: str, port: int, ready: Callable[[str], None], stop: asyncio.Event) -> None:
        """Serve until told to stop, then let what is under way end.

        Args:
            host: to listen on.
            port: 0 takes any that is free.
            ready: told the URI once clients may come.
            stop: ends it.

        Raises:
            InputError: the address cannot be listened on.
        """
        server = await self._listening(host, port)
        watching = asyncio.create_task(self._watch_memory())
        name, number = server.sockets[0].getsockname()[:2]
        ready(f"tcp://[{name}]:{number}" if ":" in name else f"tcp://{name}:{number}")
        await stop.wait()
        server.close()
        watching.cancel()
        await self._let_go()
        self._shared.queue.close()

    async def _let_go(self) -> None:
        """Hang up on every client as soon as it has its answers, or after a while."""

        async def let_go(task: asyncio.Task[None], session: Session) -> None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ENDING_S):
                    await session.answered()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        await asyncio.gather(*(let_go(*client) for client in self._clients.items()))

    async def _listening(self, host: str, port: int) -> asyncio.Server:
        try:
            listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        except OSError as error:
            raise InputError(f"cannot listen on {host}:{port} ({error.strerror}); name another with --uri") from None
        configure(listener, self.params)  # a receive buffer must be set before a connection is accepted
        return await asyncio.start_server(self._come_in, sock=listener, limit=HEADER_BYTES, backlog=128)

    async def _come_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        configure(writer.get_extra_info("socket"), self.params)
        task = asyncio.current_task()
        assert task is not None
        if len(self._clients) >= self.params.max_clients:
            refusal = Error(text=f"{self.params.max_clients} clients are here already", code="too-many-clients")
            with contextlib.suppress(OSError):
                await write_event(refusal.event(), writer, self.params)
            writer.close()
            return
        session = self._clients[task] = self._session(reader, writer, self._shared)
        self.metrics.clients.set(len(self._clients))
        try:
            await session.run()
        except ServiceError as error:
            self.metrics.malformed.inc()
            with contextlib.suppress(OSError):
                await session.refuse(error)
        except OSError:
            pass  # it is gone, or does not listen
        except asyncio.CancelledError:
            pass  # the service ends; Python 3.11 prints a traceback of a connection that is cancelled
        finally:
            self._clients.pop(task)
            self.metrics.clients.set(len(self._clients))
            await session.close()

    async def _watch_memory(self) -> None:
        while True:
            rss_bytes = await self._shared.queue.rss_bytes()
            if rss_bytes is not None:
                self.metrics.rss_bytes.set(rss_bytes)
            await asyncio.sleep(_RSS_EVERY_S)


def _alone(contender: Contender) -> Contender:
    """The engine as it runs behind a session: a session that speaks cuts texts itself."""
    values = contender.values()
    if values.get("by_sentence"):
        values = {**values, "by_sentence": False}
        return replace(contender, params=type(contender.params).parse(values), written=values)
    return contender
