"""Sound in and out: WAV files, and the one form in which speech reaches an engine."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from voiceperf.errors import InputError

SPEECH_RATE_HZ = 16_000
# whisper.cpp reflects half an FFT window (200 samples) at the start and reads one sample more
SPEECH_MIN_SAMPLES = 201

Samples = NDArray[np.float32]


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
    if rate_hz <= 0:
        raise InputError(f"{name}: a sample rate of {rate_hz} Hz is impossible")
    mono = sound if sound.ndim == 1 else sound.mean(axis=1)
    if rate_hz != SPEECH_RATE_HZ:
        mono = soxr.resample(mono, rate_hz, SPEECH_RATE_HZ)
    if len(mono) < SPEECH_MIN_SAMPLES:
        raise InputError(f"{name}: {len(mono)} samples at 16 kHz are too short, {SPEECH_MIN_SAMPLES} are the least")
    return np.ascontiguousarray(mono, dtype=np.float32)


def read_speech(path: Path) -> Samples:
    """Read a sound file of any rate and number of channels as mono float32 at 16 kHz.

    Raises:
        InputError: the file is missing, is no sound, or is too short.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        samples, rate_hz = soundfile.read(path, dtype="float32")
    except (soundfile.LibsndfileError, RuntimeError) as error:
        raise InputError(f"{path}: cannot be read as sound ({error})") from None
    return as_speech(samples, rate_hz, str(path))


def write_wav(path: Path, samples: Samples, rate_hz: int) -> None:
    """Write 16-bit PCM; the file appears whole or not at all."""
    _write(path, samples, rate_hz, "WAV")


def write_flac(path: Path, samples: Samples, rate_hz: int) -> None:
    """The same, packed without loss: about half the size."""
    _write(path, samples, rate_hz, "FLAC")


def _write(path: Path, samples: Samples, rate_hz: int, kind: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    soundfile.write(part, samples, rate_hz, format=kind, subtype="PCM_16")
    os.replace(part, path)
