"""A caller who speaks into the reply: the agent notices, falls silent, and remembers of the reply what was heard."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import cycle

import numpy as np
from wyoming.event import Event

from voiceperf.audio import SPEECH_RATE_HZ, Samples
from voiceperf.live.info import PIECE
from voiceperf.live.sound import bytes_per_s
from voiceperf.measure.clock import Clock, SystemClock
from voiceperf.vad import BEGINS, FRAME, SpeechDetector, level_gain

_PREROLL_S = 0.3  # that an agent keeps of what came before it noticed
_QUIET_FRAMES = 16  # that it has listened to before: half a second
_WORDS_PER_S = 2.5
_SOUND_LEVEL = 0.1  # of the loud moments: what can be heard, seen afterwards
_SOUND_WINDOW_S = 0.01

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class BargeIn:
    """What is said into a reply, mono float32 at 16 kHz, shape (n,), once so much of its sound has been heard."""

    audio: Samples
    after_ms: float


@dataclass(frozen=True)
class Noticed:
    """When the caller began, on the clock that is given, and how many samples they had said when it was noticed."""

    begun_ns: int
    samples: int

    def moment_ns(self, sample: int) -> int:
        """When a sample was spoken."""
        return self.begun_ns + sample * 10**9 // SPEECH_RATE_HZ

    def sounded_ns(self, audio: Samples) -> int:
        """When they could first be heard."""
        return self.moment_ns(sounding(audio).start)

    @property
    def kept_from(self) -> int:
        """The first sample that the agent still has."""
        return max(0, self.samples - int(_PREROLL_S * SPEECH_RATE_HZ))


class Attention:
    """Listens to one caller while the agent speaks, by two detectors half a frame apart: one soon has the word."""

    def __init__(self, clock: Clock | None = None, sleep: Sleep = asyncio.sleep) -> None:
        self._clock, self._sleep = clock or SystemClock(), sleep
        self._detectors = (SpeechDetector(), SpeechDetector())

    async def noticed(self, audio: Samples, known: Samples) -> Noticed | None:
        """Hear the caller in real time, until a frame of 32 ms is surely speech; None where none is.

        Args:
            audio: what they say, mono float32 at 16 kHz, shape (n,).
            known: what they have said before, by which their level is known.
        """
        gain, step = level_gain(known), FRAME // len(self._detectors)
        quiet = np.zeros(_QUIET_FRAMES * FRAME, np.float32)
        on_frames, between = (
            one.probabilities(np.concatenate([quiet[skipped:], audio]), gain)
            for one, skipped in zip(self._detectors, (0, step), strict=True)
        )
        for likely, frames in ((on_frames, _QUIET_FRAMES), (between, _QUIET_FRAMES - 1)):
            for _ in range(frames):
                next(likely)
        begun_ns = self._clock.wall_ns()
        for end, likely in zip(range(step, len(audio), step), cycle([between, on_frames]), strict=False):
            so_far = Noticed(begun_ns, end)
            await self._sleep(max(0.0, (so_far.moment_ns(end) - self._clock.wall_ns()) / 1e9))
            if next(likely) >= BEGINS:
                return so_far
        return None


def sounding(audio: Samples) -> range:
    """The samples from the first to the last that sounds: above a tenth of the loud moments' level, over 10 ms."""
    window = int(_SOUND_WINDOW_S * SPEECH_RATE_HZ)
    levels = np.sqrt([float(np.mean(audio[start : start + window] ** 2)) for start in range(0, len(audio), window)])
    loud = np.flatnonzero(levels >= _SOUND_LEVEL * np.quantile(levels, 0.95))
    return range(int(loud[0]) * window, min(len(audio), (int(loud[-1]) + 1) * window))


@dataclass
class Playback:
    """A reply's sound as the caller hears it, from its first sample on and without a stop."""

    audio_s: float = 0.0
    pieces: list[tuple[float, str]] = field(default_factory=list)  # where each begins, and its words
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, chunk: Event) -> None:
        """Take a chunk.

        Raises:
            ServiceError: it has no format.
        """
        words = chunk.data.get(PIECE)
        if isinstance(words, str):
            self.pieces.append((self.audio_s, words))
        self.audio_s += len(chunk.payload or b"") / bytes_per_s(chunk)
        self.begun.set()

    def heard(self, reply: str, played_s: float) -> str:
        """The words that had been heard by then: of the piece under way, as many as its share that had sounded.

        Args:
            reply: all that is to be spoken so far; where the service does not say which words a sound is of, somebody
                who speaks at a usual pace has said so many of them.
            played_s: since the first sound.
        """
        if not self.pieces:
            return " ".join(reply.split()[: int(_WORDS_PER_S * min(played_s, self.audio_s))])
        ends = [start for start, _ in self.pieces[1:]] + [self.audio_s]
        found: list[str] = []
        for (start, text), end in zip(self.pieces, ends, strict=True):
            words = text.split()
            share = (played_s - start) / (end - start) if end > start else 0.0
            found += words[: int(min(1.0, max(0.0, share)) * len(words))]
        return " ".join(found)
