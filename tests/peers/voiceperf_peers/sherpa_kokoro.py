"""Kokoro through sherpa-onnx, as it comes: a peer for `make peers`. No profile uses it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from voiceperf.engines.base import (
    FIRST_AUDIO,
    Line,
    Mark,
    Piece,
    Request,
    Speech,
    wrong_request,
)
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import ALL_CORES, EngineParams, tunable
from voiceperf.roles import SPEAKING


@dataclass(frozen=True)
class SherpaKokoroParams(EngineParams):
    """Only what has to be said; all else is the library's own."""

    engine: ClassVar[str] = "sherpa_kokoro"
    role: ClassVar[str] = SPEAKING

    folder: str = tunable("", "with model.onnx, voices.bin and tokens.txt as sherpa-onnx reads them")
    num_threads: int = tunable(ALL_CORES, "threads; 0: performance cores", low=0, high=256, neutral=True)


class SherpaKokoroEngine:
    """A loaded voice. Phonemes are kokoro-onnx's, because sherpa-onnx makes none without a lexicon."""

    Params: ClassVar[type[SherpaKokoroParams]] = SherpaKokoroParams

    def __init__(self, params: SherpaKokoroParams) -> None:
        try:
            import sherpa_onnx
            from kokoro_onnx.tokenizer import Tokenizer
        except ImportError as error:
            raise EngineError(f"sherpa-onnx is not installed here ({error}); run: make peers") from None
        self.params, self._library, self._tokenizer = params, sherpa_onnx, Tokenizer()
        files = {name: str(Path(params.folder) / file) for name, file in _FILES.items()}
        model = sherpa_onnx.OfflineTtsModelConfig(
            kokoro=sherpa_onnx.OfflineTtsKokoroModelConfig(**files), num_threads=params.threads("num_threads")
        )
        self._tts = sherpa_onnx.OfflineTts(sherpa_onnx.OfflineTtsConfig(model=model))

    def prepare(self, request: Request) -> None:
        """Nothing is kept between lines."""

    def run(self, request: Request, mark: Mark) -> Speech:
        if not isinstance(request, Line):
            raise ParameterError(wrong_request(self.params.engine, request))
        asked = self._library.GenerationConfig()
        asked.phoneme_codepoints = [[ord(phoneme) for phoneme in self._tokenizer.phonemize(request.text, "en-us")]]
        made = self._tts.generate(request.text, asked)
        mark(FIRST_AUDIO)
        audio = np.asarray(made.samples, dtype=np.float32)
        seconds = len(audio) / made.sample_rate
        return Speech(audio, made.sample_rate, seconds, seconds, (Piece(request.text, 0, len(audio)),))

    def close(self) -> None:
        del self._tts


_FILES = {"model": "model.onnx", "voices": "voices.bin", "tokens": "tokens.txt"}
