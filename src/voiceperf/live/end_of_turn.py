"""Where a caller's words end: how long they have been silent, heard as it comes, and whether the words are finished."""

from __future__ import annotations

import numpy as np
import soxr

from voiceperf.audio import SPEECH_RATE_HZ, Samples
from voiceperf.vad import BEGINS, ENDS, FRAME, FRAME_S, SpeechDetector, level_gain

_FINISHED = tuple(".?!\u3002\uff1f\uff01\u0964\u061f")  # how a sentence ends, also in Chinese, Hindi and Arabic
_GOES_ON = ("...", "\u2026")
_CLOSING = " \"')\u201d\u2019"


class Silence:
    """Listens to one utterance, from its first sound on, in frames of 32 ms.

    Args:
        rate_hz: of the sound.
        detector: nobody else's from now on; to load one takes 40 ms.
    """

    def __init__(self, rate_hz: int, detector: SpeechDetector) -> None:
        self._resampler = soxr.ResampleStream(rate_hz, SPEECH_RATE_HZ, 1) if rate_hz != SPEECH_RATE_HZ else None
        self._detector = detector
        detector.forget()
        self._rest = np.zeros(0, np.float32)
        self._loudest = 0.0
        self._frames = 0  # that were heard
        self.spoken_frames = 0
        """How many there were up to the last one of speech; it grows when the caller speaks on."""

    @property
    def has_spoken(self) -> bool:
        """Whether there was any speech yet."""
        return self.spoken_frames > 0

    @property
    def ms(self) -> float:
        """Since the last frame of speech; 0 before there was one."""
        return 1000 * FRAME_S * (self._frames - self.spoken_frames) if self.has_spoken else 0.0

    def add(self, samples: Samples) -> None:
        """Hear what comes next, mono float32, shape (n,)."""
        sound = self._resampler.resample_chunk(samples) if self._resampler else samples
        self._rest = np.concatenate([self._rest, sound])
        while len(self._rest) >= FRAME:
            frame, self._rest = self._rest[:FRAME], self._rest[FRAME:]
            self._loudest = max(self._loudest, float(np.abs(frame).max()))
            likely = self._detector.likely(frame, level_gain(np.array([self._loudest], np.float32)))
            self._frames += 1
            if likely >= (ENDS if self.has_spoken and self._frames == self.spoken_frames + 1 else BEGINS):
                self.spoken_frames = self._frames


def reads_as_finished(transcript: str) -> bool:
    """Whether a transcript ends as a whole sentence does; who pauses in the middle of one is written without a stop."""
    text = transcript.rstrip(_CLOSING)
    return text.endswith(_FINISHED) and not text.endswith(_GOES_ON)
