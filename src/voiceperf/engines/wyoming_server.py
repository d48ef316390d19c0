"""Services that speak the Wyoming protocol, as Home Assistant's do: hearing and speaking.

A connection is made for each request, as most of these services hang up after an answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import numpy as np
from wyoming.asr import Transcribe
from wyoming.asr import Transcript as Heard
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.tts import Synthesize, SynthesizeVoice

from voiceperf.audio import SPEECH_RATE_HZ, Samples, without_silence
from voiceperf.engines.base import FIRST_AUDIO, Line, Mark, Request, Speech, Transcript, Utterance, wrong_request
from voiceperf.engines.server import ServerParams, failures
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import Delivery, tunable
from voiceperf.roles import HEARING, SPEAKING

_CHUNK_SAMPLES = SPEECH_RATE_HZ  # a second
_FULL_SCALE = 2**15
_INFO_S = 5.0


@dataclass(frozen=True)
class WyomingParams(ServerParams):
    """Of both."""

    schemes: ClassVar[tuple[str, ...]] = ("tcp",)
    example: ClassVar[str] = "tcp://localhost:10300"
    distributions: ClassVar[tuple[str, ...]] = ("wyoming",)
    home: ClassVar[str] = "https://github.com/OHF-Voice/wyoming"

    def says(self) -> dict[str, Any]:
        """The service's programs with their versions and models."""
        with contextlib.suppress(EngineError), failures(self.url, (OSError, ValueError)):
            info = asyncio.run(asyncio.wait_for(self._info(), _INFO_S))
            return {
                program.name: {"version": program.version, "models": models}
                for programs in (info.asr, info.tts)
                for program in programs
                for models in [[one.name for one in getattr(program, "models", None) or getattr(program, "voices", [])]]
            }
        return {}

    async def _info(self) -> Info:
        async with self.connection() as client:
            await client.write_event(Describe().event())
            while not Info.is_type((event := await _next(client)).type):
                pass
        return Info.from_event(event)

    def connection(self) -> AsyncTcpClient:
        """Use as a context manager."""
        parts = urlsplit(self.url)
        return AsyncTcpClient(parts.hostname, parts.port or 10300)


class _WyomingEngine:
    """One event loop, and how failures are reported."""

    def __init__(self, params: Any) -> None:
        self.params = params
        self._runner = asyncio.Runner()
        with self._failures():
            self._runner.run(asyncio.wait_for(self._reached(), params.timeout_s))

    async def _reached(self) -> None:
        async with self.params.connection():
            pass

    def prepare(self, request: Request) -> None:
        """What a service keeps between requests is its own affair."""

    def close(self) -> None:
        self._runner.close()

    def _ask(self, answer: Awaitable[Any]) -> Any:
        with self._failures():
            return self._runner.run(answer)  # type: ignore[arg-type]  # a coroutine each time

    def _failures(self) -> Any:
        return failures(self.params.url, (OSError, ValueError))

    async def _heard_from(self, client: AsyncTcpClient) -> Event:
        """The next event, if it comes in time."""
        return await asyncio.wait_for(_next(client), self.params.timeout_s)


async def _next(client: AsyncTcpClient) -> Event:
    event = await client.read_event()
    if event is None:
        raise EngineError("the service hung up before its answer")
    if Error.is_type(event.type):
        raise EngineError(f"the service says: {Error.from_event(event).text}")
    return event


@dataclass(frozen=True)
class WyomingHearingParams(WyomingParams):
    """Speech to text."""

    engine: ClassVar[str] = "wyoming_hearing"
    role: ClassVar[str] = HEARING
    title: ClassVar[str] = "a Wyoming service that hears"

    model: str = tunable("", "which of its models; empty: its own choice")
    language: str = tunable("en", "code of the language that is spoken; empty: the service finds out")

    def languages(self) -> list[str]:
        return [self.language] if self.language else []


class WyomingHearing(_WyomingEngine):
    """Sends an utterance in chunks of a second, and waits for its transcript."""

    Params: ClassVar[type[WyomingHearingParams]] = WyomingHearingParams

    def run(self, request: Request, mark: Mark) -> Transcript:
        if not isinstance(request, Utterance):
            raise ParameterError(wrong_request(self.params.engine, request))
        text = self._ask(self._transcribed(request)).strip()
        return Transcript(text, len(text.split()), None, len(request.audio) / SPEECH_RATE_HZ)

    async def _transcribed(self, request: Utterance) -> str:
        form = {"rate": SPEECH_RATE_HZ, "width": 2, "channels": 1}
        pcm = (np.clip(request.audio, -1, 1) * (_FULL_SCALE - 1)).round().astype("<i2")
        language = request.language or self.params.language or None
        async with self.params.connection() as client:
            await client.write_event(Transcribe(name=self.params.model or None, language=language).event())
            await client.write_event(AudioStart(**form).event())
            for start in range(0, len(pcm), _CHUNK_SAMPLES):
                part = pcm[start : start + _CHUNK_SAMPLES].tobytes()
                await client.write_event(AudioChunk(audio=part, **form).event())
            await client.write_event(AudioStop().event())
            while not Heard.is_type((event := await self._heard_from(client)).type):
                pass
        return str(Heard.from_event(event).text)


@dataclass(frozen=True)
class WyomingSpeakingParams(WyomingParams):
    """Text to speech."""

    engine: ClassVar[str] = "wyoming_speaking"
    role: ClassVar[str] = SPEAKING
    title: ClassVar[str] = "a Wyoming service that speaks"

    voice: str = tunable("", "which of its voices; empty: its own choice")
    lang: str = tunable("en-us", "the language of what is spoken")

    def speaker(self) -> tuple[Any, ...]:
        return (self.engine, self.url, self.voice)

    def delivery(self) -> Delivery:
        return Delivery(lang=self.lang)


class WyomingSpeaking(_WyomingEngine):
    """Hands a text over, and takes the sound as it comes."""

    Params: ClassVar[type[WyomingSpeakingParams]] = WyomingSpeakingParams

    def run(self, request: Request, mark: Mark) -> Speech:
        if not isinstance(request, Line):
            raise ParameterError(wrong_request(self.params.engine, request))
        if not request.text.strip():
            raise ParameterError("there is no text to speak")
        audio, rate_hz = self._ask(self._spoken(request, mark))
        heard = without_silence(audio, rate_hz)
        return Speech(audio, rate_hz, len(audio) / rate_hz, len(heard) / rate_hz)

    async def _spoken(self, request: Line, mark: Mark) -> tuple[Samples, int]:
        voice = request.voice or self.params.voice
        chosen = SynthesizeVoice(name=voice) if voice else None
        parts: list[Samples] = []
        rate_hz = 0
        async with self.params.connection() as client:
            await client.write_event(Synthesize(text=request.text, voice=chosen).event())
            while not AudioStop.is_type((event := await self._heard_from(client)).type):
                if not AudioChunk.is_type(event.type):
                    continue
                chunk = AudioChunk.from_event(event)
                if chunk.width != 2:
                    raise EngineError(f"{self.params.url}: sends samples of {chunk.width} bytes; 2 are understood")
                if not parts:
                    mark(FIRST_AUDIO)
                frames = np.frombuffer(chunk.audio, "<i2").reshape(-1, chunk.channels).astype(np.float32)
                parts.append(frames.mean(axis=1) / _FULL_SCALE)
                rate_hz = chunk.rate
        if not parts or not rate_hz:
            raise EngineError(f"{self.params.url}: sent no sound for {request.text[:40]!r}")
        return np.concatenate(parts), rate_hz
