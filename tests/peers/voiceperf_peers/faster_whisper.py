"""faster-whisper, which is whisper on CTranslate2: a peer that `make peers` measures beside ours. No profile uses it.

Its package lives in an environment of its own, so it is imported only where the engine is loaded.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from voiceperf.audio import SPEECH_RATE_HZ, as_speech
from voiceperf.engines.base import Mark, Request, Transcript, Utterance, wrong_request
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import ALL_CORES, EngineParams, tunable
from voiceperf.roles import HEARING


@dataclass(frozen=True)
class FasterWhisperParams(EngineParams):
    """What makes it fast or accurate; all else is as its own documentation advises for short speech."""

    engine: ClassVar[str] = "faster_whisper"
    role: ClassVar[str] = HEARING

    model: str = tunable("", "folder of a CTranslate2 model")
    compute_type: str = tunable("int8", "arithmetic", choices=("int8", "float32"))
    cpu_threads: int = tunable(ALL_CORES, "threads; 0: one for each performance core", low=0, high=256, neutral=True)
    beam_size: int = tunable(1, "beams; 1: greedy", low=1, high=8)
    language: str = tunable("en", "language code")


class FasterWhisperEngine:
    """A loaded model."""

    Params: ClassVar[type[FasterWhisperParams]] = FasterWhisperParams

    def __init__(self, params: FasterWhisperParams) -> None:
        try:
            import faster_whisper
        except ImportError as error:
            raise EngineError(f"faster-whisper is not installed here ({error}); run: make peers") from None
        self.params = params
        threads = params.threads("cpu_threads")
        self._model = faster_whisper.WhisperModel(
            params.model, "cpu", compute_type=params.compute_type, cpu_threads=threads, local_files_only=True
        )

    def prepare(self, request: Request) -> None:
        """Nothing is kept between chunks."""

    def run(self, request: Request, mark: Mark) -> Transcript:
        if not isinstance(request, Utterance):
            raise ParameterError(wrong_request(self.params.engine, request))
        audio = as_speech(request.audio, SPEECH_RATE_HZ)
        found, _ = self._model.transcribe(
            audio,
            language=self.params.language,
            beam_size=self.params.beam_size,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        segments = list(found)  # the work is done while they are read
        log_probs = [segment.avg_logprob for segment in segments]
        return Transcript(
            "".join(segment.text for segment in segments).strip(),
            sum(len(segment.tokens) for segment in segments),
            math.exp(float(np.mean(log_probs))) if log_probs else None,
            len(audio) / SPEECH_RATE_HZ,
        )

    def close(self) -> None:
        del self._model
