"""Lines: what speech passes through before it is heard. A studio recording is not what a caller sounds like."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import soundfile
import soxr

from voiceperf.audio import SPEECH_RATE_HZ, Samples

CLEAN, PHONE = "clean", "phone"
_PHONE_RATE_HZ = 8000
_NOISE_BELOW_DB = 10.0
_SILENCE_S = 1.0


def through(line: str, speech: Samples, seed: int) -> Samples:
    """Speech as it arrives over a line of `LINES`, shape (n,), 16 kHz; the same seed gives the same samples."""
    return LINES[line](speech, np.random.default_rng(seed))


def _clean(speech: Samples, _: np.random.Generator) -> Samples:
    return speech


def _noise(speech: Samples, rng: np.random.Generator) -> Samples:
    """Pink noise, 10 dB below the whole recording's mean power: its spectrum falls as that of rooms and streets."""
    spectrum = np.fft.rfft(rng.standard_normal(len(speech)))
    pink = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0)), len(speech))
    power = np.square(speech, dtype=np.float64).mean() / 10 ** (_NOISE_BELOW_DB / 10)
    return np.asarray(speech + pink * np.sqrt(power / np.square(pink).mean()), dtype=np.float32)


def _phone(speech: Samples, _: np.random.Generator) -> Samples:
    """8 kHz, mu-law (ITU-T G.711), and back to 16 kHz."""
    coded = io.BytesIO()
    narrow = soxr.resample(speech, SPEECH_RATE_HZ, _PHONE_RATE_HZ)
    soundfile.write(coded, narrow, _PHONE_RATE_HZ, format="AU", subtype="ULAW")
    coded.seek(0)
    heard = soundfile.read(coded, dtype="float32")[0]
    return np.asarray(soxr.resample(heard, _PHONE_RATE_HZ, SPEECH_RATE_HZ), dtype=np.float32)


def _silence(speech: Samples, _: np.random.Generator) -> Samples:
    """A second of nothing before the first word."""
    return np.concatenate([np.zeros(int(_SILENCE_S * SPEECH_RATE_HZ), np.float32), speech])


LINES: Mapping[str, Callable[[Samples, np.random.Generator], Samples]] = {
    CLEAN: _clean,
    "noise": _noise,
    PHONE: _phone,
    "silence": _silence,
}
"""By name what each does."""
