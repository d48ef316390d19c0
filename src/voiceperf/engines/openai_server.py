"""Servers that speak OpenAI's HTTP API: one engine for each role, through the `openai` library.

No request is tried twice: what a caller would wait for twice is no fast answer. A status of 429 or 5xx is a failure.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import openai
import soundfile

from voiceperf.audio import SPEECH_RATE_HZ, as_wav, without_silence
from voiceperf.engines.base import (
    FIRST_AUDIO,
    FIRST_TOKEN,
    PART,
    Line,
    Mark,
    Prompt,
    Reply,
    Request,
    Speech,
    Transcript,
    Utterance,
    wrong_request,
)
from voiceperf.engines.server import Keyed, ServerParams, failures
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import Delivery, tunable
from voiceperf.roles import HEARING, SPEAKING, THINKING

_KINDS = (openai.OpenAIError, ValueError)
_WAV_HEADER_BYTES = 44
_PCM_RATE_HZ = 24_000  # of the API's "pcm": 16-bit, mono (platform.openai.com, "Text to speech")


@dataclass(frozen=True)
class OpenAIParams(ServerParams):
    """Of all three."""

    schemes: ClassVar[tuple[str, ...]] = ("http", "https")
    example: ClassVar[str] = "http://localhost:8000/v1"
    distributions: ClassVar[tuple[str, ...]] = ("openai",)
    home: ClassVar[str] = "https://github.com/openai/openai-python"

    model: str = tunable("", "the model's name, as the server knows it")
    key_env: str = tunable("", "the environment variable that holds the key; empty: none is needed")

    def check(self) -> None:
        super().check()
        Keyed(self.key_env).check(self.engine)

    def client(self) -> openai.OpenAI:
        """A connection to the server, made when it is first used."""
        key = Keyed(self.key_env).read(self.engine) or "none"
        return openai.OpenAI(base_url=self.url, api_key=key, timeout=self.timeout_s, max_retries=0)

    def says(self) -> dict[str, Any]:
        """The server's program and its models, where it names them."""
        with contextlib.suppress(EngineError), failures(self.url, _KINDS), self.client() as client:
            answer = client.models.with_raw_response.list()
            models = [model.id for model in answer.parse().data]
            return {"program": answer.headers.get("server", ""), "models": models}
        return {}


class _OpenAIEngine:
    """The connection, and how its failures are reported."""

    def __init__(self, params: Any) -> None:
        self.params = params
        self._keyed = Keyed(params.key_env)
        self._client = params.client()

    def prepare(self, request: Request) -> None:
        """What a server keeps between requests is its own affair."""

    def close(self) -> None:
        self._client.close()

    def _failures(self) -> Any:
        return failures(self.params.url, _KINDS, _in_words, self._keyed)


def _in_words(error: Exception) -> str:
    """With whatever the server says, in the form of the API or not."""
    if isinstance(error, openai.APIStatusError):
        return f"status {error.status_code}: {error.body or error.message}"
    return str(error)


@dataclass(frozen=True)
class OpenAIHearingParams(OpenAIParams):
    """`/audio/transcriptions`."""

    engine: ClassVar[str] = "openai_hearing"
    role: ClassVar[str] = HEARING
    title: ClassVar[str] = "transcription by an OpenAI-compatible server"

    language: str = tunable("en", "code of the language that is spoken; empty: the server finds out")

    def languages(self) -> list[str]:
        return [self.language] if self.language else []


class OpenAIHearing(_OpenAIEngine):
    """Sends an utterance as a WAV file."""

    Params: ClassVar[type[OpenAIHearingParams]] = OpenAIHearingParams

    def run(self, request: Request, mark: Mark) -> Transcript:
        if not isinstance(request, Utterance):
            raise ParameterError(wrong_request(self.params.engine, request))
        language = request.language or self.params.language
        asked = {"language": language} if language else {}
        file = ("speech.wav", as_wav(request.audio, SPEECH_RATE_HZ), "audio/wav")
        with self._failures():
            heard = self._client.audio.transcriptions.create(file=file, model=self.params.model, **asked)
            text = str(heard.text).strip()
        return Transcript(text, len(text.split()), None, len(request.audio) / SPEECH_RATE_HZ)


@dataclass(frozen=True)
class OpenAIThinkingParams(OpenAIParams):
    """`/chat/completions`, streamed."""

    engine: ClassVar[str] = "openai_thinking"
    role: ClassVar[str] = THINKING
    title: ClassVar[str] = "chat by an OpenAI-compatible server"

    max_tokens: int = tunable(96, "longest reply", low=1, high=4096, unit="tokens")
    temperature: float = tunable(0.0, "how freely it is sampled; 0: the likeliest", low=0, high=2)


class OpenAIThinking(_OpenAIEngine):
    """Hands a conversation over, and takes the reply part by part."""

    Params: ClassVar[type[OpenAIThinkingParams]] = OpenAIThinkingParams

    def run(self, request: Request, mark: Mark) -> Reply:
        if not isinstance(request, Prompt):
            raise ParameterError(wrong_request(self.params.engine, request))
        if request.cold or request.script:
            raise ParameterError(f"{self.params.engine} can neither forget what it has read nor follow a script")
        if request.is_ahead:
            return Reply("", (), 0)
        parts: list[str] = []
        read = written = 0
        with self._failures(), self._stream(request) as chunks:
            for chunk in chunks:
                if chunk.usage:
                    read, written = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
                part = chunk.choices[0].delta.content if chunk.choices else None
                if not part:
                    continue
                if not parts:
                    mark(FIRST_TOKEN)
                parts.append(part)
                mark(PART, part)
        return Reply("".join(parts), (), read, counted=written or len(parts))

    def _stream(self, request: Prompt) -> Any:
        return self._client.chat.completions.create(
            model=self.params.model,
            messages=list(request.messages),
            max_tokens=request.n_tokens or self.params.max_tokens,
            temperature=self.params.temperature,
            stream=True,
            stream_options={"include_usage": True},
        )


@dataclass(frozen=True)
class OpenAISpeakingParams(OpenAIParams):
    """`/audio/speech`."""

    engine: ClassVar[str] = "openai_speaking"
    role: ClassVar[str] = SPEAKING
    title: ClassVar[str] = "speech by an OpenAI-compatible server"

    voice: str = tunable("alloy", "the voice's name, as the server knows it")
    form: str = tunable("wav", "what the server sends; pcm: 16-bit at 24 kHz", choices=("wav", "pcm"))
    lang: str = tunable("en-us", "the language of what is spoken")

    def speaker(self) -> tuple[Any, ...]:
        return (self.engine, self.url, self.model, self.voice)

    def delivery(self) -> Delivery:
        return Delivery(lang=self.lang)


class OpenAISpeaking(_OpenAIEngine):
    """Takes the sound as it comes."""

    Params: ClassVar[type[OpenAISpeakingParams]] = OpenAISpeakingParams

    def run(self, request: Request, mark: Mark) -> Speech:
        if not isinstance(request, Line):
            raise ParameterError(wrong_request(self.params.engine, request))
        if not request.text.strip():
            raise ParameterError("there is no text to speak")
        sound = bytearray()
        with self._failures():
            for data in self._sound(request):
                if len(sound) <= _WAV_HEADER_BYTES < len(sound) + len(data):
                    mark(FIRST_AUDIO)
                sound += data
        audio, rate_hz = self._decoded(bytes(sound))
        if not len(audio):
            raise EngineError(f"{self.params.url}: sent no sound for {request.text[:40]!r}")
        heard = without_silence(audio, rate_hz)
        return Speech(audio, rate_hz, len(audio) / rate_hz, len(heard) / rate_hz)

    def _sound(self, request: Line) -> Iterator[bytes]:
        voice = request.voice or self.params.voice
        speech = self._client.audio.speech.with_streaming_response
        with speech.create(
            model=self.params.model, voice=voice, input=request.text, response_format=self.params.form
        ) as answer:
            yield from answer.iter_bytes()

    def _decoded(self, sound: bytes) -> tuple[Any, int]:
        if self.params.form == "pcm":
            return np.frombuffer(sound[: len(sound) // 2 * 2], "<i2").astype(np.float32) / 2**15, _PCM_RATE_HZ
        try:
            audio, rate_hz = soundfile.read(io.BytesIO(_with_lengths(sound)), dtype="float32")
        except soundfile.LibsndfileError:
            raise EngineError(f"{self.params.url}: sent {len(sound)} bytes that are no WAV file") from None
        return audio if audio.ndim == 1 else audio.mean(axis=1), int(rate_hz)


def _with_lengths(sound: bytes) -> bytes:
    """A WAV file whose lengths are those of what came: who streams one writes its header before they are known."""
    begin = sound.find(b"data", 12)
    if not sound.startswith(b"RIFF") or begin < 0:
        return sound
    came_bytes = len(sound) - begin - 8
    if 0 < int.from_bytes(sound[begin + 4 : begin + 8], "little") <= came_bytes:
        return sound
    whole, data = (size.to_bytes(4, "little") for size in (len(sound) - 8, came_bytes))
    return sound[:4] + whole + sound[8 : begin + 4] + data + sound[begin + 8 :]
