"""How much of the 30 s that whisper was trained on its encoder computes for one chunk.

The encoder's cost follows its context, not the speech, and most of the context behind a short chunk is silence. It is
needed: without it whisper loops. But it need not be computed frame by frame. A few frames can stand for the rest, if
attention counts each of them several times; that is a logarithm added to their scores.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from voiceperf.audio import SPEECH_RATE_HZ

FULL = 1500  # frames of 20 ms: the 30 s window every whisper model was trained on
# With flash attention whisper.cpp pads keys and values to this multiple and attends to the padding unmasked,
# so any other context would see what earlier calls left there.
STEP = 256
_WEIGHED_STEP = 64  # our attention sees no padding, and takes keys in blocks of so many
_SAMPLES_PER_FRAME = SPEECH_RATE_HZ // 50
_LEAST_SAMPLES = SPEECH_RATE_HZ // 8  # whisper.cpp takes a chunk of hardly more than 0.1 s for nothing
_MARGIN = 60  # frames behind the speech that count once
_LEAST_SILENCE = 128  # frames that stand for the rest (both: FINDINGS.md)


@dataclass(frozen=True)
class Context:
    """What the encoder computes and attention sees, in frames of 20 ms.

    `frames` is 0 for the full window. Those from `silent_from` on count `times` as much as the others.
    """

    frames: int
    silent_from: int = 0
    times: float = 1.0

    @property
    def is_weighed(self) -> bool:
        """Whether some frames stand for more."""
        return self.silent_from > 0


def plain(shortest: int, samples: int) -> Context:
    """The context for one chunk: never shorter than the speech.

    Args:
        shortest: what is wanted, in frames; 0: the full window.
        samples: of the chunk, at 16 kHz.
    """
    if shortest == 0:
        return Context(0)
    speech = _frames(samples)
    chosen = shortest if speech <= shortest else _rounded_up(speech, STEP)
    return Context(0 if chosen >= FULL else chosen)


def weighed(counted: int, samples: int) -> Context | None:
    """The least that can count as `counted` frames; None where that is no less, or whisper.cpp computes nothing."""
    silent_from = _frames(samples) + _MARGIN
    frames = _rounded_up(silent_from + _LEAST_SILENCE, _WEIGHED_STEP)
    if frames >= counted or samples < _LEAST_SAMPLES:
        return None
    return Context(frames, silent_from, (counted - silent_from) / (frames - silent_from))


def _frames(samples: int) -> int:
    return math.ceil(samples / _SAMPLES_PER_FRAME)


def _rounded_up(frames: int, step: int) -> int:
    return math.ceil(frames / step) * step
