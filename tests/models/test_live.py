"""The three services with real engines, as their clients see them: real sockets, real speech."""

import asyncio
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from tests.models.talk import ask, sound_of, spoken
from wyoming.asr import Transcript
from wyoming.audio import AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.handle import Handled, HandledChunk, HandledStart, HandledStop
from wyoming.info import Attribution, Describe, HandleProgram, Info
from wyoming.server import AsyncEventHandler, AsyncTcpServer
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
)

from voiceperf import call, profiles
from voiceperf.engines.base import Line, Prompt, Utterance
from voiceperf.judge.text import words_of
from voiceperf.live.processes import ServiceProcess
from voiceperf.live.replay import Pace, replay, replay_paired, replay_spoken_into
from voiceperf.live.services import Services, services_at
from voiceperf.live.wire import address
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess

pytestmark = pytest.mark.models

CALL = call.load(Path(__file__).parents[2] / "fixtures" / "calls" / "call61.toml")
SHIPPED = profiles.load("shipped")


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
    with WorkerProcess(of_profile(SHIPPED, "whisper")) as worker:
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
    with WorkerProcess(of_profile(SHIPPED, "llama")) as worker:
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


def test_a_named_conversation_goes_on_over_connections(running):
    """A client that connects anew for each sentence, as Home Assistant does, is answered as on one connection."""

    def say(text, name):
        context = {"conversation_id": name}
        (whole,) = [
            Handled.from_event(event).text
            for event in ask(running.answers, [Transcript(text, context=context)], HandledStop)
            if Handled.is_type(event.type)
        ]
        return whole

    words = ("My name is Anna.", "What is my name?")
    together = [say(text, "one") for text in words]
    assert [say(text, "two") for text in words] == together
    assert say(words[1], "three") != together[1]


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
    with WorkerProcess(of_profile(SHIPPED, "kokoro")) as worker:
        alone = worker.once(Line(reply))[1]
    whole = ask(running.speaks, [Synthesize(reply)], AudioStop)
    words = [SynthesizeChunk(f"{word} ") for word in reply.split()]
    stream = [SynthesizeStart(), *words, Synthesize(reply), SynthesizeStop()]
    streamed = ask(running.speaks, stream, SynthesizeStopped)
    assert AudioStart.from_event(whole[0]).rate == alone.rate_hz
    assert sound_of(whole) == sound_of(streamed)
    assert len(sound_of(whole)) == 2 * len(alone.audio)


class Polite(AsyncEventHandler):
    """A service of somebody else's, written with the official server: it answers words, and is silent to none."""

    async def handle_event(self, event):
        if Describe.is_type(event.type):
            about = {"attribution": Attribution("", ""), "installed": True, "description": None, "version": None}
            await self.write_event(Info(handle=[HandleProgram(name="polite", models=[], **about)]).event())
        elif Transcript.is_type(event.type) and Transcript.from_event(event).text:
            await self.write_event(Handled("Good evening to you.").event())
        return True


def test_a_call_goes_through_somebody_elses_service(running):
    """A handler that neither streams nor knows our context takes its part in a call."""

    async def call_with_it():
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = AsyncTcpServer("127.0.0.1", port)
        await server.start(Polite)
        found = await services_at([running.speaks, f"tcp://127.0.0.1:{port}", running.hears])
        records = await replay(CALL, found, Pace(1), lambda record: None)
        await server.stop()
        return records

    records = asyncio.run(asyncio.wait_for(call_with_it(), 60))
    assert not [record.error for record in records if record.error]
    assert {record.reply for record in records} == {"Good evening to you."}
    assert all(record.audio_s > 0.5 for record in records)


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


def test_the_same_services_beside_themselves_differ_by_nothing(running):
    """Every turn on both sides, in pairs, as many calls as were asked for; identical sides come out alike."""
    found = asyncio.run(replay_paired(CALL, running, running, Pace(2), lambda record: None))
    assert not found.errors()
    assert [len(found.baseline), len(found.candidate)] == [14, 14]
    ratio = found.ratio()
    assert ratio.samples == 14
    assert 0.8 < ratio.estimate < 1.25


def test_the_command_finds_its_way_among_running_services(running):
    """`replay --uri` asks each service what it is, in any order, and tells every turn with its stages."""
    uris = [f"--uri={uri}" for uri in (running.speaks, running.hears, running.answers)]
    command = [sys.executable, "-c", "from voiceperf.cli import main; main()", "replay", "--calls=1", "--json", *uris]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    *turns, whole = [json.loads(line) for line in done.stdout.splitlines()]
    assert [turn["turn"] for turn in turns] == [1, 2, 3, 4, 5, 6, 7]
    assert all(turn["stages_ms"]["overall"] == turn["first_audio_ms"] > 0 for turn in turns)
    assert whole["turns"] == 7
    assert 0 < whole["stages_ms"]["overall"]["p50"] <= whole["stages_ms"]["overall"]["p95"]


def test_metrics_are_published(tmp_path):
    """Prometheus finds histograms with one request in them, and the engine's memory."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", "from voiceperf.cli import main; main()", "serve", "kokoro"]
    options = ["--profile=shipped", "--uri=tcp://127.0.0.1:0", f"--metrics-port={port}"]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as service:
        uri = service.stdout.readline().split()[1]
        ask(uri, [Synthesize("Good evening.")], AudioStop)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        service.terminate()
    assert service.returncode == 0
    assert "voiceperf_kokoro_engine_seconds_count 1.0" in text
    assert "voiceperf_kokoro_rtf_count 1.0" in text
    (resident,) = [line for line in text.splitlines() if line.startswith("voiceperf_kokoro_resident_bytes ")]
    assert float(resident.split()[1]) > 50e6


def test_each_request_is_a_structured_line():
    """With VOICEPERF_LOG=json a service writes how long every request waited and took."""
    command = [sys.executable, "-c", "from voiceperf.cli import main; main()", "serve", "kokoro"]
    options = ["--profile=shipped", "--uri=tcp://127.0.0.1:0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([*command, *options], env={**os.environ, "VOICEPERF_LOG": "json"}, **pipes) as service:
        ask(service.stdout.readline().split()[1], [Synthesize("Good evening.")], AudioStop)
        service.terminate()
        lines = [json.loads(line) for line in service.stderr.read().splitlines() if line.startswith("{")]
    (request,) = [line for line in lines if line["input"] == "request"]
    assert request["engine"] == "kokoro"
    assert request["wall_ms"] > 0 <= request["queue_ms"]


def test_workers_of_one_engine_speak_alike(tmp_path):
    """Two engine processes behind one service, four clients at once: every sound is the same as alone."""
    path = tmp_path / "two.toml"
    profiles.save(SHIPPED.having("service", profiles.Setting({"workers": 2})), path)

    async def at_once(uri):
        asked = [asyncio.to_thread(ask, uri, [Synthesize("Good evening.")], AudioStop) for _ in range(4)]
        return await asyncio.gather(*asked)

    with ServiceProcess("kokoro", path) as service:
        alone = ask(service.uri, [Synthesize("Good evening.")], AudioStop)
        together = asyncio.run(at_once(service.uri))
    assert {sound_of(seen) for seen in together} == {sound_of(alone)}


def test_a_killed_service_fails_its_turn_and_no_other(running, tmp_path):
    """Killed in the middle of a call and started again, it costs one turn, which tells the reason."""
    path = tmp_path / "shipped.toml"
    profiles.save(SHIPPED, path)
    first = ServiceProcess("kokoro", path)
    _, port = address(first.uri)
    again = []

    def watch(record):
        if record.turn == 2:
            os.kill(first.pid, signal.SIGKILL)
            again.append(starting.submit(ServiceProcess, "kokoro", path, port))  # seconds, in which the call goes on

    with ThreadPoolExecutor() as starting:
        try:
            services = Services(running.hears, running.answers, first.uri)
            records = asyncio.run(replay(CALL, services, Pace(1), watch))
        finally:
            for process in (first, *(one.result() for one in again)):
                process.close()
    assert [record.turn for record in records if record.error] == [3]
    reasons = ("hung up", "does not listen", "cannot be reached")  # by whether it was read from, written to or called
    assert any(reason in records[2].error for reason in reasons)
    assert all(record.audio_s > 0.5 for record in records if record.turn != 3)


def test_a_reply_that_is_spoken_into_ends_and_no_word_is_lost(running):
    """The agent falls silent and remembers what was heard; the caller is heard as where nobody speaks."""
    short = replace(CALL, turns=CALL.turns[:3])
    found = asyncio.run(replay_spoken_into(short, running, Pace(1), lambda record: None))
    assert not [record.error for record in found.records if record.error]
    assert len(found.silence_ms()) == 2
    for record, turn in zip(found.records[:2], short.turns, strict=False):
        assert record.heard_reply
        assert turn.reply.startswith(record.heard_reply)
        assert len(record.heard_reply) < len(turn.reply)
    words, lost = found.words()
    assert words > 0
    assert lost == 0


def test_a_turn_whose_end_is_found_is_answered_ahead(running, tmp_path):
    """Its words were known and answered before it was sure that they were all; the reply is the same."""
    path = tmp_path / "ends.toml"
    ends = {"end_of_turn_ms": 700.0, "finished_ms": 400.0, "guess_ms": 60.0}
    profiles.save(SHIPPED.having("service", profiles.Setting(ends)), path)
    short = replace(CALL, turns=CALL.turns[3:5])
    with ServiceProcess("hearing", path) as hears:
        services = replace(running, hears=hears.uri)
        records = asyncio.run(replay(short, services, Pace(1, says_the_end=False), lambda record: None))
    plain = asyncio.run(replay(short, running, Pace(1), lambda record: None))
    assert not [record.error for record in records if record.error]
    assert [record.reply for record in records] == [record.reply for record in plain]
    assert [record.audio_sha256 for record in records] == [record.audio_sha256 for record in plain]
    assert [words_of(record.transcript) for record in records] == [words_of(record.transcript) for record in plain]
    for record in records:
        assert record.was_guessed
        assert record.first_text_ms < record.end_of_turn_ms
