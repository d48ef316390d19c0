"""A call through services that others wrote, with the manners of the best-known ones."""

import asyncio
import socket
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop
from wyoming.info import AsrProgram, Attribution, Describe, HandleProgram, Info, TtsProgram
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.tts import SynthesizeChunk, SynthesizeStop, SynthesizeStopped

from voiceperf import call
from voiceperf.live.replay import Pace, replay
from voiceperf.live.services import Services

CALL = call.load(Path(__file__).parents[3] / "fixtures" / "calls" / "call61.toml")
ABOUT = {"attribution": Attribution("", ""), "installed": True, "description": None, "version": None}
SECOND = b"\x01\x00" * 16_000


class Hears(AsyncEventHandler):
    """Hangs up after each transcript, as wyoming-faster-whisper does."""

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            await self.write_event(Info(asr=[AsrProgram(name="hears", models=[], **ABOUT)]).event())
        elif AudioStop.is_type(event.type):
            await self.write_event(Transcript("good evening").event())
            return False
        return True


class Answers(AsyncEventHandler):
    """Streams its reply in two parts."""

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            program = HandleProgram(name="answers", models=[], supports_handled_streaming=True, **ABOUT)
            await self.write_event(Info(handle=[program]).event())
        elif Transcript.is_type(event.type):
            parts = [HandledStart(), HandledChunk("Good evening. "), HandledChunk("Welcome."), Handled("Good evening.")]
            for part in (*parts, HandledStop()):
                await self.write_event(part.event())
        return True


class Speaks(AsyncEventHandler):
    """Begins and ends the sound of each part by itself, as wyoming-piper does."""

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            program = TtsProgram(name="speaks", voices=[], supports_synthesize_streaming=True, **ABOUT)
            await self.write_event(Info(tts=[program]).event())
        elif SynthesizeChunk.is_type(event.type):
            for part in (AudioStart(16_000, 2, 1), AudioChunk(16_000, 2, 1, SECOND), AudioStop()):
                await self.write_event(part.event())
        elif SynthesizeStop.is_type(event.type):
            await self.write_event(SynthesizeStopped().event())
        return True


class Wrong(Answers):
    """Says nothing where words should be."""

    async def handle_event(self, event):
        if Transcript.is_type(event.type):
            await self.write_event(Event("handled-chunk", {"text": None}))
            return True
        return await super().handle_event(event)


class Formless(Speaks):
    """Sends sound that has no rate."""

    async def handle_event(self, event):
        if SynthesizeChunk.is_type(event.type):
            await self.write_event(Event("audio-chunk", {"rate": 0, "width": 2, "channels": 1}, SECOND))
            return True
        return await super().handle_event(event)


class AnswersAndSpeaks(Speaks):
    """One program for two parts, told apart by its connections."""

    async def handle_event(self, event):
        if Transcript.is_type(event.type):
            return await Answers.handle_event(self, event)
        return await super().handle_event(event)


def listening(talk, *handlers):
    """What comes of `talk(services)` with services of others, the last of which speaks."""

    async def all_of_it():
        servers, uris = [], []
        for handler in handlers:
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = free.getsockname()[1]
            servers.append(AsyncTcpServer("127.0.0.1", port))
            await servers[-1].start(handler)
            uris.append(f"tcp://127.0.0.1:{port}")
        try:
            return await talk(Services(uris[0], uris[1], uris[-1]))
        finally:
            for server in servers:
                await server.stop()

    return asyncio.run(asyncio.wait_for(all_of_it(), 60))


@pytest.fixture
def played():
    """A whole call through services of others, the last of which speaks: what became of its turns."""

    def play(*handlers):
        return listening(lambda services: replay(CALL, services, Pace(1), lambda record: None), *handlers)

    return play


def test_a_service_that_hangs_up_after_each_answer_is_called_again(played):
    """No turn fails for it, and each has its transcript."""
    records = played(Hears, Answers, Speaks)
    assert [record.error for record in records] == [""] * len(CALL.turns)
    assert {record.transcript for record in records} == {"good evening"}


def test_a_stream_is_heard_to_its_end(played):
    """Where each sentence ends a sound of its own, the reply is all of them, in every turn."""
    records = played(Hears, Answers, Speaks)
    assert {record.audio_s for record in records} == {2.0}


def test_an_event_with_a_wrong_field_fails_its_turn(played):
    """A field that is no text is told as the turn's failure, and the call goes on to its end."""
    records = played(Hears, Wrong, Speaks)
    assert len(records) == len(CALL.turns)
    assert all("lacks a field, or has a wrong one" in record.error for record in records)


def test_sound_without_a_rate_fails_its_turn(played):
    """It is told as the turn's failure, and the call goes on to its end."""
    records = played(Hears, Answers, Formless)
    assert len(records) == len(CALL.turns)
    assert all("rate 0" in record.error for record in records)


def test_one_program_may_play_two_parts(played):
    """Where one address both answers and speaks, each part has its own connection."""
    records = played(Hears, AnswersAndSpeaks)
    assert [record.error for record in records] == [""] * len(CALL.turns)
    assert {record.audio_s for record in records} == {2.0}
