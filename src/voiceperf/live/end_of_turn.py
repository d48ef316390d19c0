"""Where a caller's words end, heard as they come: once they have spoken and then been silent for long enough."""

from __future__ import annotations

import math

import numpy as np
import soxr

from voiceperf.audio import SPEECH_RATE_HZ, Samples
from voiceperf.vad import BEGINS, ENDS, FRAME, FRAME_S, SpeechDetector, level_gain


class EndOfTurn:
    """Listens to one utterance, from its first sound on.

    Args:
        silence_ms: how long is long enough; it is counted in frames of 32 ms.
        rate_hz: of the sound.
    """

    def __init__(self, silence_ms: float, rate_hz: int) -> None:
        self._patience = max(1, math.ceil(silence_ms / 1000 / FRAME_S))
        self._resampler = soxr.ResampleStream(rate_hz, SPEECH_RATE_HZ, 1) if rate_hz != SPEECH_RATE_HZ else None
        self._detector = SpeechDetector()
        self._rest = np.zeros(0, np.float32)
        self._loudest = 0.0
        self._frames = self._spoken = 0  # those that were heard, and those up to the last one of speech

    @property
    def has_spoken(self) -> bool:
        """Whether there was any speech yet."""
        return self._spoken > 0

    def is_over(self, samples: Samples) -> bool:
        """Whether the words have ended by the end of these samples, mono float32, shape (n,), which come next."""
        sound = self._resampler.resample_chunk(samples) if self._resampler else samples
        self._rest = np.concatenate([self._rest, sound])
        while len(self._rest) >= FRAME:
            frame, self._rest = self._rest[:FRAME], self._rest[FRAME:]
            self._loudest = max(self._loudest, float(np.abs(frame).max()))
            likely = self._detector.likely(frame, level_gain(np.array([self._loudest], np.float32)))
            self._frames += 1
            if likely >= (ENDS if self.has_spoken and self._frames == self._spoken + 1 else BEGINS):
                self._spoken = self._frames
        return self.has_spoken and self._frames - self._spoken >= self._patience
