"""The service that speaks, around an engine that only counts: every reply ends, whatever it was refused for."""

import asyncio
import contextlib
import logging

import numpy as np
import pytest
from fake_engine import FakeParams

from voiceperf.engines.base import Speech
from voiceperf.live import service as services
from voiceperf.params import Delivery
from voiceperf.roles import SPEAKING


class Answer:
    """What the queue gives back: a tenth of a second of sound."""

    output = Speech(np.zeros(2400, np.float32), 24_000, 0.1, 0.1)

    def as_context(self):
        return {}


@pytest.fixture
def served(serve, monkeypatch):
    """Run a test's coroutine beside the real speaking session, whose queue speaks at once, or after some time."""

    def run(test, takes_s=0.0, **limits):
        async def ask(self, request, hand_on=None, *, is_begun=False):
            await asyncio.sleep(takes_s)
            return Answer()

        monkeypatch.setitem(services.SESSIONS, SPEAKING, services.Speaking)
        monkeypatch.setattr(services.EngineQueue, "ask", ask)
        monkeypatch.setattr(FakeParams, "delivery", lambda self: Delivery(lang="en-us", filter_text=True))
        serve(test, **limits)

    return run


async def until(client, kind):
    """What came, by kind and data, up to the first of a kind."""
    came = []
    while not came or came[-1][0] != kind:
        came.append(await client.receive())
    return came


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"text": "\u3053\u3093\u306b\u3061\u306f"}, "unreadable"),
        ({"text": "Hello.", "voice": 5}, "malformed"),
        ({"text": None}, "malformed"),
        ({}, "malformed"),
    ],
)
def test_a_refused_reply_ends_as_every_other(served, data, code):
    """The client hears why, and the end of the sound; the next reply is spoken."""

    async def test(running):
        async with running.client() as client:
            client.send("synthesize", **data)
            came = await until(client, "audio-stop")
            assert [one["code"] for kind, one in came if kind == "error"] == [code]
            client.send("synthesize", text="Hello.")
            assert "error" not in {kind for kind, _ in await until(client, "audio-stop")}

    served(test)


def test_no_voice_is_the_profile_s_own(served):
    """A client that writes `null` for what it does not name is spoken to, in one go and as a stream."""

    async def test(running):
        async with running.client() as client:
            client.send("synthesize", text="Hello.", voice=None)
            assert "error" not in {kind for kind, _ in await until(client, "audio-stop")}
            client.send("synthesize-start", voice=None)
            client.send("synthesize-chunk", text="Hello.")
            client.send("synthesize-stop")
            assert "error" not in {kind for kind, _ in await until(client, "synthesize-stopped")}

    served(test)


def test_many_replies_at_once_all_end(served):
    """Of a client that asks for more than may wait, nothing more is read till then, and nothing is lost."""

    async def test(running):
        async with running.client() as client:
            for _ in range(12):
                client.send("synthesize", text="Hello.")
            for _ in range(12):
                assert "error" not in {kind for kind, _ in await until(client, "audio-stop")}

    served(test, takes_s=0.01)


def test_who_waits_for_an_answer_is_not_idle(served):
    """The time that the engine takes is not the client's silence; a stream that stays open is."""

    async def test(running):
        async with running.client() as client:
            client.send("synthesize", text="Hello.")
            await until(client, "audio-stop")
        async with running.client() as client:
            client.send("synthesize-start")
            assert await client.ended()

    served(test, takes_s=0.5, idle_s=0.2)


def test_a_service_that_ends_while_clients_are_there_logs_no_error(served, caplog):
    """Asyncio would log a connection that is cancelled with a traceback."""

    async def test(running):
        running.kept = contextlib.AsyncExitStack()
        client = await running.kept.enter_async_context(running.client())
        client.send("describe")
        await client.receive()

    served(test)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
