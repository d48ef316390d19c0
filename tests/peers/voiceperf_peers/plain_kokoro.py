"""kokoro-onnx as it comes, with the session that it makes itself: a peer for `make peers`. No profile uses it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from voiceperf.engines.base import FIRST_AUDIO, Line, Mark, Piece, Request, Speech, wrong_request
from voiceperf.engines.kokoro import load_voice
from voiceperf.errors import EngineError, ParameterError
from voiceperf.models.store import locate
from voiceperf.params import EngineParams, tunable
from voiceperf.roles import SPEAKING


@dataclass(frozen=True)
class PlainKokoroParams(EngineParams):
    """Only what has to be said; all else is the library's own."""

    engine: ClassVar[str] = "plain_kokoro"
    role: ClassVar[str] = SPEAKING

    model: str = tunable("kokoro-v1.0-int8", "catalogue name, or the path of an ONNX file")
    voice: str = tunable("af_heart", "catalogue name, or the path of a raw float32 style file")


class PlainKokoroEngine:
    """A loaded voice."""

    Params: ClassVar[type[PlainKokoroParams]] = PlainKokoroParams

    def __init__(self, params: PlainKokoroParams) -> None:
        try:
            import kokoro_onnx
        except ImportError as error:
            raise EngineError(f"kokoro-onnx is not installed here ({error}); run: make peers") from None
        self.params = params
        with tempfile.TemporaryDirectory() as folder:
            voices = Path(folder) / "voices.npz"
            np.savez(voices, voice=load_voice(locate(params.voice)))
            self._kokoro = kokoro_onnx.Kokoro(str(locate(params.model)), str(voices))
            self._kokoro.voices = dict(self._kokoro.voices)  # read now: the file goes away

    def prepare(self, request: Request) -> None:
        """Nothing is kept between lines."""

    def run(self, request: Request, mark: Mark) -> Speech:
        if not isinstance(request, Line):
            raise ParameterError(wrong_request(self.params.engine, request))
        audio, rate_hz = self._kokoro.create(request.text, "voice")
        mark(FIRST_AUDIO)
        audio = np.ascontiguousarray(audio, dtype=np.float32)
        seconds = len(audio) / rate_hz  # it trims by itself
        return Speech(audio, rate_hz, seconds, seconds, (Piece(request.text, 0, len(audio)),))

    def close(self) -> None:
        del self._kokoro
