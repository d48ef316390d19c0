"""A service around the fake engine: the logic of serving, without a model."""

import asyncio
import contextlib
import json
import socket
from functools import partial

import pytest
from fake_engine import FakeParams
from wyoming.event import Event
from wyoming.info import Info

from voiceperf.engines.base import Line
from voiceperf.live import service as services
from voiceperf.live.params import ServiceParams
from voiceperf.live.service import Service
from voiceperf.live.session import Session
from voiceperf.measure.contender import Contender
from voiceperf.roles import SPEAKING


class Echo(Session):
    """Answers `say` with what the fake engine makes of its text."""

    async def on_event(self, event):
        if event.type == "say":
            await self.start(partial(self._say, event.data["text"]))

    async def _say(self, text):
        answer = await self.queue.ask(Line(text))
        await self.send(Event("said", {"text": answer.output.text}))


class Served:
    """A running service, and clients of it."""

    def __init__(self, service, uri):
        self.service = service
        self.host, port = uri.removeprefix("tcp://").split(":")
        self.port = int(port)

    def raw(self):
        """A socket that may say anything."""
        return socket.create_connection((self.host, self.port), timeout=10)

    @contextlib.asynccontextmanager
    async def client(self):
        reader, writer = await asyncio.open_connection(self.host, self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()


class Client:
    """A connection that speaks in plain lines."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def send(self, kind, **data):
        self.writer.write(json.dumps({"type": kind, "data": data}).encode() + b"\n")

    async def receive(self):
        async with asyncio.timeout(10):
            header = json.loads(await self.reader.readline())
            body = await self.reader.readexactly(header.get("data_length", 0))
            await self.reader.readexactly(header.get("payload_length", 0))
        return header["type"], json.loads(body) if body else {}

    async def ended(self):
        """Whether the service has hung up, after what it had to say."""
        async with asyncio.timeout(10):
            return (await self.reader.read(1)) == b""


@pytest.fixture
def serve(monkeypatch):
    """Run a test's coroutine beside a service with some limits and some work to do a request."""
    monkeypatch.setitem(services.SESSIONS, SPEAKING, Echo)
    monkeypatch.setattr(services, "info_of", lambda params: Info())

    def run(test, engine=FakeParams(), **limits):
        async def both():
            service = Service(Contender("test", engine), ServiceParams(**limits), "")
            stop, uri = asyncio.Event(), asyncio.get_running_loop().create_future()
            running = asyncio.create_task(service.run("127.0.0.1", 0, uri.set_result, stop))
            try:
                await test(Served(service, await uri))
            finally:
                stop.set()
                await running

        asyncio.run(both())

    return run
