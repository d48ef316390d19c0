"""pywhispercpp as its own documentation uses it: an engine that hears, added to voiceperf from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pywhispercpp.model import Model

from voiceperf.audio import SPEECH_RATE_HZ
from voiceperf.engines.base import Mark, Request, Transcript, Utterance, wrong_request
from voiceperf.errors import ParameterError
from voiceperf.models.store import locate
from voiceperf.params import ALL_CORES, EngineParams, tunable
from voiceperf.roles import HEARING


@dataclass(frozen=True)
class PlainWhisperParams(EngineParams):
    """What is worth trying of it."""

    engine: ClassVar[str] = "plain_whisper"
    role: ClassVar[str] = HEARING
    title: ClassVar[str] = "pywhispercpp"
    home: ClassVar[str] = "https://github.com/absadiki/pywhispercpp"
    thread_names: ClassVar[tuple[str, ...]] = ("n_threads",)
    distributions: ClassVar[tuple[str, ...]] = ("pywhispercpp",)

    model: str = tunable("whisper-base-f16", "catalogue name, or the path of a ggml file")
    n_threads: int = tunable(ALL_CORES, "threads; 0: performance cores", low=0, high=256, neutral=True)
    audio_ctx: int = tunable(0, "encoder context; 0: all of it", low=0, high=1500, tries=(0, 768))


class PlainWhisperEngine:
    """A loaded model."""

    Params: ClassVar[type[PlainWhisperParams]] = PlainWhisperParams

    def __init__(self, params: PlainWhisperParams) -> None:
        self.params = params
        self._model = Model(
            str(locate(params.model)),
            n_threads=params.threads("n_threads"),
            language="en",
            audio_ctx=params.audio_ctx,
            no_context=True,
            print_progress=False,
            print_realtime=False,
        )

    def prepare(self, request: Request) -> None:
        """Nothing is kept between utterances."""

    def run(self, request: Request, mark: Mark) -> Transcript:
        if not isinstance(request, Utterance):
            raise ParameterError(wrong_request(self.params.engine, request))
        text = " ".join(segment.text.strip() for segment in self._model.transcribe(request.audio))
        return Transcript(text, len(text.split()), None, len(request.audio) / SPEECH_RATE_HZ)

    def close(self) -> None:
        del self._model
