"""The other end of a Wyoming connection: to our services, or to anyone's."""

from __future__ import annotations

import asyncio
from typing import Self

from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info

from voiceperf.errors import ServiceError
from voiceperf.live.params import ServiceParams
from voiceperf.live.wire import HEADER_BYTES, address, configure, read_event, write_event


class Link:
    """One connection. Open it with `to`, close it with `close`.

    Raises (on every call):
        ServiceError: the service is not there, hung up, sent an error, or said nothing in time.
    """

    def __init__(
        self, uri: str, params: ServiceParams, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.uri, self._params, self._reader, self._writer = uri, params, reader, writer

    @classmethod
    async def to(cls, uri: str, params: ServiceParams) -> Self:
        """Connect."""
        try:
            async with asyncio.timeout(params.event_s):
                reader, writer = await asyncio.open_connection(*address(uri), limit=HEADER_BYTES)
        except (OSError, TimeoutError) as error:
            raise ServiceError(f"{uri}: cannot be reached ({error or 'no answer'})", "unreachable") from None
        configure(writer.get_extra_info("socket"), params)
        return cls(uri, params, reader, writer)

    async def send(self, event: Event) -> None:
        """Hand an event over."""
        try:
            await write_event(event, self._writer, self._params)
        except OSError as error:  # a network that went away is more than a connection that did
            raise ServiceError(f"{self.uri}: does not listen any more ({error or 'timed out'})", "gone") from None

    async def receive(self, limit_s: float) -> Event:
        """The next event; one that tells an error is raised."""
        try:
            async with asyncio.timeout(limit_s):
                event = await read_event(self._reader, self._params)
        except TimeoutError:
            raise ServiceError(f"{self.uri}: said nothing for {limit_s:g} s", "silent") from None
        except OSError as error:
            raise ServiceError(f"{self.uri}: hung up ({error})", "gone") from None
        if event is None:
            raise ServiceError(f"{self.uri}: hung up", "gone")
        if Error.is_type(event.type):
            raise ServiceError(f"{self.uri}: {event.data.get('text')}", str(event.data.get("code") or "service"))
        return event

    async def info(self) -> Info:
        """What the service says of itself."""
        await self.send(Describe().event())
        while not Info.is_type((event := await self.receive(self._params.event_s)).type):
            pass
        try:
            return Info.from_event(event)
        except (AttributeError, KeyError, TypeError):
            raise ServiceError(f"{self.uri}: says of itself what is no `info` event", "malformed") from None

    @property
    def is_open(self) -> bool:
        """Whether the service has not hung up, as far as is known; some do after each answer."""
        return not (self._reader.at_eof() or self._writer.is_closing())

    async def close(self) -> None:
        """Hang up."""
        self._writer.close()
