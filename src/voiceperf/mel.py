"""The mel scale: triangular filters with Slaney's scale and area normalisation.

Source: M. Slaney, "Auditory Toolbox", Interval Research, Technical Report 1998-010. Whisper was trained on it, and
distances between voices are measured on it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_LINEAR_HZ_PER_MEL = 200.0 / 3.0
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0
_LOG_STEP = float(np.log(6.4)) / 27.0


def mel_filters(rate_hz: int, fft_size: int, mels: int) -> NDArray[np.float32]:
    """Filters of shape (mels, fft_size // 2 + 1), from 0 Hz to half the sample rate."""
    frequencies_hz = np.linspace(0, rate_hz / 2, fft_size // 2 + 1)
    edges_hz = _mel_to_hz(np.linspace(0.0, _hz_to_mel(rate_hz / 2), mels + 2))
    widths_hz = np.diff(edges_hz)
    ramps = edges_hz[:, None] - frequencies_hz[None, :]
    rising, falling = -ramps[:-2] / widths_hz[:-1, None], ramps[2:] / widths_hz[1:, None]
    area = 2.0 / (edges_hz[2:] - edges_hz[:-2])
    return (np.maximum(0, np.minimum(rising, falling)) * area[:, None]).astype(np.float32)


def _hz_to_mel(frequency_hz: float) -> float:
    """For frequencies above the knee at 1 kHz, where the scale is logarithmic."""
    return _KNEE_MEL + float(np.log(frequency_hz / _KNEE_HZ)) / _LOG_STEP


def _mel_to_hz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    above = _KNEE_HZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    return np.where(mel >= _KNEE_MEL, above, mel * _LINEAR_HZ_PER_MEL)
