"""Our services under a client that others wrote: wyoming-bench, which measures any Wyoming service."""

import asyncio
import wave
from pathlib import Path

import numpy as np
import pytest
from wyoming.asr import Transcribe
from wyoming_bench.const import MODE_NON_STREAMING, MODE_STREAMING
from wyoming_bench.info import advertised_streaming, available_services, fetch_info
from wyoming_bench.stt.client import transcribe_audio
from wyoming_bench.stt.corpus import AudioInput
from wyoming_bench.tts.client import synthesize_audio

from voiceperf import call, profiles
from voiceperf.engines.base import Line, Utterance
from voiceperf.live.wire import address
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess

pytestmark = pytest.mark.models

CALL = call.load(Path(__file__).parents[2] / "fixtures" / "calls" / "call61.toml")
SHIPPED = profiles.load("shipped")
CONNECT_S, READ_S = 5.0, 30.0


def recording_of(turn):
    with wave.open(str(turn.chunk)) as file:
        form = (file.getframerate(), file.getsampwidth(), file.getnchannels())
        return AudioInput(turn.chunk.stem, turn.transcript, *form, file.readframes(file.getnframes()), turn.chunk)


@pytest.mark.parametrize(("part", "service"), [("hears", "asr"), ("answers", "handle"), ("speaks", "tts")])
def test_it_finds_what_a_service_offers(running, part, service):
    """Each service tells it the one thing that it does."""
    assert available_services(asyncio.run(fetch_info(*address(getattr(running, part)), READ_S))) == [service]


def test_it_hears_what_the_engine_hears(running):
    """Every chunk of the call, in packets of 64 ms, gets the engine's own transcript."""
    with WorkerProcess(of_profile(SHIPPED, "whisper")) as worker:
        alone = [worker.once(Utterance(turn.audio))[1].text for turn in CALL.turns]
    heard = [
        asyncio.run(
            transcribe_audio(*address(running.hears), recording_of(turn), Transcribe(), 1024, CONNECT_S, READ_S)
        )
        for turn in CALL.turns
    ]
    assert heard == alone


@pytest.mark.parametrize("mode", [MODE_NON_STREAMING, MODE_STREAMING])
def test_it_gets_the_engines_own_sound(running, mode):
    """Whole or sentence by sentence, a long reply becomes the samples that the engine makes of it alone."""
    reply, uri = CALL.turns[3].reply, running.speaks
    assert advertised_streaming(asyncio.run(fetch_info(*address(uri), READ_S)), "tts")
    with WorkerProcess(of_profile(SHIPPED, "kokoro")) as worker:
        alone = worker.once(Line(reply))[1]
    sound, *form = asyncio.run(synthesize_audio(*address(uri), mode, reply, None, None, CONNECT_S, READ_S))
    assert form == [alone.rate_hz, 2, 1]
    np.testing.assert_allclose(np.frombuffer(sound, "<i2") / 2**15, alone.audio, rtol=0, atol=2 / 2**15)
