"""The three services with real engines, as their clients see them: real sockets, real speech."""

import asyncio
import hashlib
import os
import signal
from pathlib import Path

import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop, wav_to_chunks
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeChunk, SynthesizeStart, SynthesizeStop, SynthesizeStopped

from voiceperf import call, profiles
from voiceperf.engines.base import Line, Prompt, Utterance
from voiceperf.live.agent import Services
from voiceperf.live.processes import ServiceProcess, ServicesOfProfile
from voiceperf.live.replay import Pace, replay
from voiceperf.live.wire import address
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess

pytestmark = pytest.mark.models

CALL = call.load(Path(__file__).parents[2] / "fixtures" / "calls" / "call61.toml")
TUNED = profiles.load("tuned")


@pytest.fixture(scope="module")
def running():
    """The three services as the profile `tuned` has them."""
    with ServicesOfProfile(TUNED) as services:
        yield services.services


def ask(uri, events, until):
    """What the official client sees: everything up to an event of some kind."""

    async def talk():
        seen = []
        async with AsyncTcpClient(*address(uri)) as client:
            for event in events:
                await client.write_event(event.event())
            while not seen or not until.is_type(seen[-1].type):
                seen.append(await asyncio.wait_for(client.read_event(), 30))
                assert seen[-1] is not None, "hung up"
                assert not Error.is_type(seen[-1].type), seen[-1].data
        return seen

    return asyncio.run(talk())


def spoken(turn):
    import wave

    with wave.open(str(turn.chunk)) as file:
        return [Transcribe(language="en"), *wav_to_chunks(file, 320, start_event=True, stop_event=True)]


def sound_of(events):
    return b"".join(AudioChunk.from_event(event).audio for event in events if AudioChunk.is_type(event.type))


@pytest.mark.parametrize(("part", "kind"), [("hears", "asr"), ("answers", "handle"), ("speaks", "tts")])
def test_services_describe_themselves(running, part, kind):
    """The official client reads one program of the right kind, with its model or voice, and what it streams."""
    info = Info.from_event(ask(getattr(running, part), [Describe()], Info)[-1])
    (program,) = getattr(info, kind)
    assert program.installed
    assert program.version
    assert (program.voices if kind == "tts" else program.models)[0].languages
    assert getattr(program, "supports_handled_streaming", True)
    assert getattr(program, "supports_synthesize_streaming", True)


def test_speech_is_heard_as_by_the_engine_alone(running):
    """Every chunk of the call comes back over the network with the transcript that the engine itself makes."""
    with WorkerProcess(of_profile(TUNED, "whisper")) as worker:
        alone = [worker.once(Utterance(turn.audio))[1].text for turn in CALL.turns]
    heard = [Transcript.from_event(ask(running.hears, spoken(turn), Transcript)[-1]).text for turn in CALL.turns]
    assert heard == alone


def test_a_conversation_is_answered_in_parts_that_add_up(running):
    """The reply comes streamed, then whole, as the engine alone gives it."""
    messages = CALL.messages(CALL.turns[0])
    seen = ask(running.answers, [Transcript(CALL.turns[0].transcript, context={"messages": messages})], HandledStop)
    assert HandledStart.is_type(seen[0].type)
    parts = [HandledChunk.from_event(event).text for event in seen if HandledChunk.is_type(event.type)]
    (whole,) = [Handled.from_event(event).text for event in seen if Handled.is_type(event.type)]
    assert len(parts) > 1
    assert "".join(parts) == whole
    with WorkerProcess(of_profile(TUNED, "llama")) as worker:
        assert worker.once(Prompt(tuple(messages)))[1].text == whole


def test_a_connection_is_a_conversation(running):
    """A plain client that sends transcripts alone is answered, turn after turn."""

    async def talk():
        replies = []
        async with AsyncTcpClient(*address(running.answers)) as client:
            for text in ("My name is Anna.", "Hello again."):
                await client.write_event(Transcript(text).event())
                while not Handled.is_type((event := await asyncio.wait_for(client.read_event(), 30)).type):
                    pass
                replies.append(Handled.from_event(event).text)
        return replies

    assert all(asyncio.run(talk()))


def test_a_script_is_said_word_for_word(running):
    """For measuring, llama says a given reply at its own pace."""
    context = {"messages": CALL.messages(CALL.turns[1]), "script": CALL.turns[1].reply}
    seen = ask(running.answers, [Transcript("seventh", context=context)], HandledStop)
    parts = [HandledChunk.from_event(event).text for event in seen if HandledChunk.is_type(event.type)]
    assert "".join(parts) == CALL.turns[1].reply
    assert len(parts) > 10


def test_text_is_spoken_as_by_the_engine_alone(running):
    """Whole or streamed word by word, a reply becomes the very samples that the engine makes of it."""
    reply = CALL.turns[3].reply
    with WorkerProcess(of_profile(TUNED, "kokoro")) as worker:
        alone = worker.once(Line(reply))[1]
    whole = ask(running.speaks, [Synthesize(reply)], AudioStop)
    words = [SynthesizeChunk(f"{word} ") for word in reply.split()]
    stream = [SynthesizeStart(), *words, Synthesize(reply), SynthesizeStop()]
    streamed = ask(running.speaks, stream, SynthesizeStopped)
    assert AudioStart.from_event(whole[0]).rate == alone.rate_hz
    assert sound_of(whole) == sound_of(streamed)
    assert len(sound_of(whole)) == 2 * len(alone.audio)


def test_nothing_to_say_is_an_error(running):
    """An empty text is refused with a code, and the connection goes on."""

    async def talk():
        async with AsyncTcpClient(*address(running.speaks)) as client:
            await client.write_event(Synthesize("  ").event())
            refused = await asyncio.wait_for(client.read_event(), 30)
            await client.write_event(Describe().event())
            return Error.from_event(refused), await asyncio.wait_for(client.read_event(), 30)

    error, info = asyncio.run(talk())
    assert error.code == "no-text"
    assert Info.is_type(info.type)


def said(records):
    return [(record.turn, record.transcript, record.reply, record.audio_sha256) for record in records]


def test_calls_at_once_are_told_apart(running):
    """Two calls at the same time hear, say and sound in every turn as one alone does."""
    alone = asyncio.run(replay(CALL, running, Pace(1), lambda record: None))
    together = asyncio.run(replay(CALL, running, Pace(2, concurrency=2), lambda record: None))
    assert not [record.error for record in (*alone, *together) if record.error]
    assert said(record for record in together if record.call == 1) == said(alone)
    assert said(record for record in together if record.call == 2) == said(alone)
    assert all(record.audio_sha256 != hashlib.sha256().hexdigest() for record in alone)


def test_a_killed_service_fails_its_turn_and_no_other(running, tmp_path):
    """Killed in the middle of a call and started again, it costs one turn, which tells the reason."""
    path = tmp_path / "tuned.toml"
    profiles.save(TUNED, path)
    first = ServiceProcess("kokoro", path)
    _, port = address(first.uri)
    again = []

    def watch(record):
        if record.turn == 2:
            os.kill(first.pid, signal.SIGKILL)
            again.append(ServiceProcess("kokoro", path, port))

    try:
        services = Services(running.hears, running.answers, first.uri)
        records = asyncio.run(replay(CALL, services, Pace(1), watch))
    finally:
        for process in (first, *again):
            process.close()
    assert [record.turn for record in records if record.error] == [3]
    assert "hung up" in records[2].error or "does not listen" in records[2].error
    assert all(record.audio_s > 0.5 for record in records if record.turn != 3)
