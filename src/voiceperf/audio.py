"""Sound in and out: WAV files, and the one form in which speech reaches an engine."""

from __future__ import annotations

import io
import logging
import re
from functools import cache
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voiceperf.errors import InputError
from voiceperf.files import reason_of, shown, written

SPEECH_RATE_HZ = 16_000
RATES_HZ = range(4000, 384_001)
SPEECH_MIN_SAMPLES = SPEECH_RATE_HZ // 5  # 0.2 s; the shortest of 457 recorded words takes 0.3 s
_LOUDEST = 16.0  # of samples whose full scale is 1.0; clipped speech stays far below, integers in floats are far above
_CANCELLED = 0.01  # of the energy is left of the mean; of unlike channels it is all
_BLOCK = 2**16  # samples that are read at once
# as libsndfile reports a WAV's header
_DATA_BYTES = re.compile(r"^data : (\d+)(?: \(should be (\d+)\))?$", re.MULTILINE)
_STREAM_BYTES = 0x7FFF0000  # a header that names this much or more was written before the length was known

_log = logging.getLogger(__name__)

Samples = NDArray[np.float32]


class Mixdown:
    """Channels into one, block by block: what comes of it does not depend on where the blocks end.

    It is the channels' mean. Where that cancels them, as in a stereo cable wired the wrong way round, every second
    channel is turned over first.
    """

    def __init__(self) -> None:
        self._mean, self._turned = bytearray(), bytearray()  # float32

    def __len__(self) -> int:
        return len(self._mean) // np.float32().nbytes

    def add(self, frames: NDArray[np.float32]) -> None:
        """Take the next frames, shape (n, channels)."""
        self._mean += frames.mean(axis=1, dtype=np.float32).tobytes()
        if frames.shape[1] > 1:
            signs = np.where(np.arange(frames.shape[1]) % 2, -1, 1).astype(np.float32)
            self._turned += (frames * signs).mean(axis=1, dtype=np.float32).tobytes()

    def keep_last(self, frames: int) -> None:
        """Forget what came before."""
        for kind in (self._mean, self._turned):
            del kind[: max(0, len(kind) - frames * np.float32().nbytes)]

    def samples(self) -> Samples:
        """All so far, shape (n,)."""
        mean, turned = (np.frombuffer(bytes(kind), np.float32) for kind in (self._mean, self._turned))
        return turned if np.square(mean).sum() < _CANCELLED * np.square(turned).sum() else mean


def as_speech(samples: NDArray[np.floating], rate_hz: int, name: str = "audio") -> Samples:
    """Make mono float32 at 16 kHz of what a caller hands in.

    Args:
        samples: shape (n,) or (n, channels), full scale at 1.0.
        rate_hz: their sample rate; other rates than 16 kHz are resampled, channels are averaged.
        name: what an error message calls it.

    Raises:
        InputError: empty, too short, NaN or infinite, or of a shape that is no sound.
    """
    sound = np.asarray(samples)
    if sound.ndim not in (1, 2) or not np.issubdtype(sound.dtype, np.floating):
        raise InputError(f"{name}: needs floats of shape (n,) or (n, channels), not {sound.dtype} {sound.shape}")
    if sound.size == 0:
        raise InputError(f"{name}: holds no samples; record it again")
    if not np.isfinite(sound).all():
        raise InputError(f"{name}: holds NaN or infinite samples; check the step that made it")
    if rate_hz not in RATES_HZ:
        raise InputError(
            f"{name}: a sample rate of {rate_hz} Hz is none of speech ({RATES_HZ[0]} to {RATES_HZ[-1]}); is it damaged?"
        )
    if (peak := float(np.abs(sound).max())) > _LOUDEST:
        scale = next((2**bits for bits in (15, 23) if peak <= 2**bits), 2**31)
        raise InputError(
            f"{name}: holds samples up to {peak:g} where full scale is 1.0; they look like integers stored as floats:"
            f" divide them by {scale}, as in: sox in.wav -b 16 -e signed-integer out.wav vol {1 / scale:.12f}"
        )
    speech = sound if sound.ndim == 1 else _mono(sound)
    if rate_hz != SPEECH_RATE_HZ:
        speech = soxr.resample(speech, rate_hz, SPEECH_RATE_HZ)
    if len(speech) < SPEECH_MIN_SAMPLES:
        least_s = SPEECH_MIN_SAMPLES / SPEECH_RATE_HZ
        raise InputError(
            f"{name}: {len(speech) / SPEECH_RATE_HZ:.3f} s are too short; speech takes {least_s:g} s or more"
        )
    return np.ascontiguousarray(speech, dtype=np.float32)


def _mono(frames: NDArray[np.floating]) -> Samples:
    mixed = Mixdown()
    mixed.add(frames.astype(np.float32))
    return mixed.samples()


def read_speech(path: Path, channel: int | None = None) -> Samples:
    """Read a sound file of any rate and number of channels as mono float32 at 16 kHz.

    It is read block by block, so that an hour takes the memory of what comes of it and no more.

    Args:
        path: of the file.
        channel: one of a recording's two, from 0; all of them, mixed, where none is named.

    Raises:
        InputError: the file is missing, is no sound, is too short, or has not two channels where one is named.
    """
    name = shown(path)
    if path.is_dir():
        raise InputError(f"{name}: is a folder; name a sound file")
    try:
        with path.open("rb") as file, soundfile.SoundFile(file) as sound:
            _check_length(sound, path.stat().st_size, name)
            if channel is not None and sound.channels != 2:
                raise InputError(f"{name}: has {sound.channels} channel(s), not one for each of two speakers")
            mixed = Mixdown()
            for block in sound.blocks(_BLOCK, dtype="float32", always_2d=True):
                mixed.add(block if channel is None else block[:, channel : channel + 1])
            rate_hz = sound.samplerate
    except FileNotFoundError:
        raise InputError(f"{name}: no such file") from None
    except soundfile.LibsndfileError as error:
        why = error.error_string.strip().rstrip(".")
        raise InputError(f"{name}: cannot be read as sound ({why}); convert it, as in: ffmpeg -i IN out.wav") from None
    except (RuntimeError, OSError, ValueError, TypeError) as error:
        why = reason_of(error)
        raise InputError(f"{name}: cannot be read as sound ({why}); convert it, as in: ffmpeg -i IN out.wav") from None
    return as_speech(mixed.samples(), rate_hz, name)


def _check_length(sound: soundfile.SoundFile, file_bytes: int, name: str) -> None:
    """Say what of a WAV file is missing.

    Raises:
        InputError: the header says that there are no samples, though the file goes on.
    """
    data = _DATA_BYTES.search(sound.extra_info)
    if not data:
        return
    named_bytes, held_bytes = int(data[1]), int(data[2] or data[1])
    if named_bytes == 0 and file_bytes > 1024:
        raise InputError(
            f"{name}: its header says 0 samples, and {file_bytes} bytes are there: it was not closed when it was"
            " recorded; mend it, as in: sox --ignore-length IN.wav out.wav"
        )
    if held_bytes < named_bytes < _STREAM_BYTES:
        _say_early_end(name, held_bytes / named_bytes)


@cache
def _say_early_end(name: str, share: float) -> None:
    """Once, however often the file is read."""
    _log.warning("%s: ends early: %.0f%% of what its header says are there", name, 100 * share)


def without_silence(samples: Samples, rate_hz: int) -> Samples:
    """What is heard of a sound, shape (n,): without its quiet beginning and end.

    Quiet is what stays 60 dB below the loudest of its stretches of 20 ms.
    """
    size = max(1, rate_hz // 50)
    levels = np.array([np.square(samples[at : at + size]).mean() for at in range(0, len(samples), size)])
    loud = np.flatnonzero(levels > levels.max(initial=0.0) * 1e-6)
    return samples[loud[0] * size : (loud[-1] + 1) * size] if len(loud) else samples[:0]


def as_wav(samples: Samples, rate_hz: int) -> bytes:
    """A file of 16-bit PCM, in memory."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate_hz, format="WAV", subtype="PCM_16")
    return file.getvalue()


def write_wav(path: Path, samples: Samples, rate_hz: int) -> None:
    """Write 16-bit PCM; the file appears whole or not at all."""
    _write(path, samples, rate_hz, "WAV")


def write_flac(path: Path, samples: Samples, rate_hz: int) -> None:
    """The same, packed without loss: about half the size."""
    _write(path, samples, rate_hz, "FLAC")


def _write(path: Path, samples: Samples, rate_hz: int, kind: str) -> None:
    with written(path) as part, part.open("wb") as file:
        soundfile.write(file, samples, rate_hz, format=kind, subtype="PCM_16")
