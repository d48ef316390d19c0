"""Sound as Wyoming carries it: raw PCM in chunks, each with its format."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from wyoming.audio import AudioChunk, AudioFormat
from wyoming.event import Event

from voiceperf.audio import RATES_HZ, SPEECH_MIN_SAMPLES, SPEECH_RATE_HZ, Mixdown, Samples, as_speech
from voiceperf.errors import ServiceError

WIDTH_BYTES = 2  # of what we send: 16-bit
_FULL_SCALE = {2: 2**15, 4: 2**31}  # by bytes a sample
_CHANNELS = range(1, 9)
_TELLING_SAMPLES = 64  # enough to see that they are floats


class Recording:
    """One utterance as it comes in.

    Each chunk becomes mono at once, so that work and memory are bounded by the utterance's length, whatever its format
    and however small its chunks.
    """

    def __init__(self, event: Event, max_s: float) -> None:
        self._format, self._max_s = format_of(event), max_s
        self._mixed = Mixdown()
        self._rest = b""  # what has come of a sample that is not whole yet
        self._telling, self._are_floats = 0, True  # samples that could be floats, and whether all so far could

    def add(self, event: Event) -> Samples:
        """Take a chunk, wherever in a sample it begins and ends; what comes of it, mono at its own rate, shape (n,).

        Raises:
            ServiceError: of another format than the start, or longer than is allowed.
        """
        if format_of(event) != self._format:
            raise ServiceError(f"a chunk is {format_of(event)}, the start was {self._format}", "malformed")
        payload = self._rest + (event.payload or b"")
        whole = len(payload) - len(payload) % (self._format.width * self._format.channels)
        self._rest = payload[whole:]
        integers = np.frombuffer(payload[:whole], f"<i{self._format.width}").reshape(-1, self._format.channels)
        if self._format.width == np.float32().nbytes and self._are_floats:
            sent = integers[integers != 0]
            self._telling, self._are_floats = self._telling + len(sent), _may_be_floats(sent)
        frames = integers.astype(np.float32) / np.float32(_FULL_SCALE[self._format.width])
        self._mixed.add(frames)
        if len(self._mixed) > self._max_s * self._format.rate:
            raise ServiceError(f"the speech is longer than {self._max_s:g} s", "too-long")
        mono: Samples = frames.mean(axis=1, dtype=np.float32)
        return mono

    @property
    def rate_hz(self) -> int:
        rate_hz: int = self._format.rate
        return rate_hz

    def keep_last(self, seconds: float) -> None:
        """Forget what came before."""
        self._mixed.keep_last(int(seconds * self._format.rate))

    @property
    def is_too_short(self) -> bool:
        """Whether some sound has come, and less than speech takes."""
        length_s = len(self._mixed) / self._format.rate
        return bool(0 < length_s < SPEECH_MIN_SAMPLES / SPEECH_RATE_HZ)

    def samples(self) -> Samples:
        """All of it as mono float32 at 16 kHz, shape (n,).

        Raises:
            InputError: too short to be speech.
            ServiceError: floats that were sent as integers.
        """
        if self._are_floats and self._telling >= _TELLING_SAMPLES:
            raise ServiceError("the speech looks like 32-bit floats: send 16-bit PCM (width 2)", "malformed")
        return as_speech(self._mixed.samples(), self._format.rate, "the speech")


def _may_be_floats(integers: NDArray[np.int32]) -> bool:
    """Whether the bits of what was sent as integers are sound in floats.

    As floats, small integers are far below the quietest sound, and the loud ones far above full scale. A stretch of
    loud sound may have none of either; a whole utterance has.
    """
    sent = np.abs(integers.view("<f4"))
    return bool(((sent > 2.0**-32) & (sent < 16.0)).all())


def format_of(event: Event) -> AudioFormat:
    """The format that a start or a chunk names.

    Raises:
        ServiceError: it names none, or one that is not taken.
    """
    rate, width, channels = (event.data.get(name) for name in ("rate", "width", "channels"))
    numbers = all(type(value) is int for value in (rate, width, channels))
    if not numbers or rate not in RATES_HZ or width not in _FULL_SCALE or channels not in _CHANNELS:
        raise ServiceError(
            f"cannot take sound of rate {rate!r}, width {width!r} and {channels!r} channels: send 16-bit PCM"
            " (rate 16000, width 2, channels 1 is best)",
            "malformed",
        )
    return AudioFormat(rate, width, channels)


def bytes_per_s(event: Event) -> int:
    """Of the format that a chunk names.

    Raises:
        ServiceError: as `format_of`.
    """
    named = format_of(event)
    bytes_a_second: int = named.rate * named.width * named.channels
    return bytes_a_second


def chunks(samples: Samples, rate_hz: int, chunk_ms: int, begin_ms: float = 0.0) -> Iterator[Event]:
    """Samples, shape (n,) with full scale at 1.0, as events of 16-bit PCM, each with its `timestamp` in ms."""
    size = max(1, rate_hz * chunk_ms // 1000)
    pcm = (np.clip(samples, -1.0, 1.0) * (_FULL_SCALE[WIDTH_BYTES] - 1)).round().astype("<i2")
    for start in range(0, len(pcm), size):
        timestamp = round(begin_ms + 1000 * start / rate_hz)
        yield AudioChunk(rate_hz, WIDTH_BYTES, 1, pcm[start : start + size].tobytes(), timestamp).event()
