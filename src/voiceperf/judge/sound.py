"""Synthesised speech judged: log-mel spectral distance, duration and pace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from voiceperf.judge.text import HearingComparison
from voiceperf.judge.verdict import Finding, point_at_most, worst
from voiceperf.mel import mel_filters

# 1 dB is about what a listener can just tell in a spectrum (Paliwal & Atal 1993, on spectral distortion in coders);
# the margin above it is for arithmetic of another precision
MAX_LOG_SPECTRAL_DB = 1.3
MAX_DURATION_SHIFT = 0.01  # a hundredth: a frame or two, not a syllable
_TRIM_STEP = 512  # samples: kokoro-onnx cuts silence off in such steps, so one more or less is the cutting's rounding
# A reply spoken sentence by sentence is another reading of it. Of one phrase repeated, listeners just notice 5%
# (Quene, "On the just noticeable difference for tempo in speech", 2007); another reading may differ by twice that
MAX_PACE_SHIFT = 0.10

MAX_LEVEL_SHIFT_DB = 3.0  # half the power or twice; 1 dB is about what is just heard (Zwicker & Fastl 2007, ch. 7)

_FFT_SIZE, _HOP, _MELS = 1024, 256, 80
_SILENCE = 1e-12  # a power that nobody hears
_FLOOR_DB = -60.0  # below the loudest cell: what a listener does not hear beside it


def log_mel_db(audio: NDArray[np.float32], rate_hz: int) -> NDArray[np.float64]:
    """Log-mel power in dB relative to the loudest cell, floored, shape (mels, frames)."""
    _, _, spectrum = scipy.signal.stft(audio, fs=rate_hz, nperseg=_FFT_SIZE, noverlap=_FFT_SIZE - _HOP)
    power = mel_filters(rate_hz, _FFT_SIZE, _MELS) @ np.abs(spectrum) ** 2
    decibels = 10 * np.log10(np.maximum(power, 1e-20))
    floored: NDArray[np.float64] = np.maximum(decibels - decibels.max(), _FLOOR_DB)
    return floored


def log_spectral_distance_db(a: NDArray[np.float32], b: NDArray[np.float32], rate_hz: int) -> float:
    """Root mean square over mel bands, averaged over frames, of the shorter common part.

    Definition after Gray & Markel, "Distance measures for speech processing", 1976, on mel bands.
    """
    length = min(len(a), len(b))
    difference = log_mel_db(a[:length], rate_hz) - log_mel_db(b[:length], rate_hz)
    return float(np.sqrt((difference**2).mean(axis=0)).mean())


def distance_beyond_trimming_db(a: NDArray[np.float32], b: NDArray[np.float32], rate_hz: int) -> float:
    """The log-spectral distance of two sounds, of which one may have been cut a step of trimming sooner."""
    laid_over = [(a, b), (a[_TRIM_STEP:], b), (a, b[_TRIM_STEP:])]
    return min(log_spectral_distance_db(x, y, rate_hz) for x, y in laid_over)


def duration_shift(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """How much longer or shorter than a sound another is, as a share of it, beyond one step of trimming."""
    return max(0, abs(len(b) - len(a)) - _TRIM_STEP) / len(a)


def level_shift_db(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """By how much louder or softer than a sound another is: of their root mean squares."""
    powers = [max(float(np.mean(np.square(one, dtype=np.float64))), _SILENCE) for one in (a, b)]
    return abs(10 * float(np.log10(powers[1] / powers[0])))


@dataclass(frozen=True)
class SpeakingComparison:
    """How a candidate speaks beside a baseline, over the same lines; the worst line counts.

    Distance and `duration_shift` are those of whatever was synthesised in one go, shifts of pace and level of whole
    replies.
    What cannot be compared, because it is another voice or never the same sound, is None.
    """

    round_trip: HearingComparison
    log_spectral_db: float | None = None
    duration_shift: float | None = None
    pace_shift: float | None = None
    level_shift_db: float | None = None

    def finding(self) -> Finding:
        points = (
            (self.log_spectral_db, MAX_LOG_SPECTRAL_DB, "log-spectral distance (dB)"),
            (self.duration_shift, MAX_DURATION_SHIFT, "duration shift"),
            (self.pace_shift, MAX_PACE_SHIFT, "shift of pace"),
            (self.level_shift_db, MAX_LEVEL_SHIFT_DB, "shift of loudness (dB)"),
        )
        comparable = [point_at_most(*point) for point in points if point[0] is not None]
        return worst([self.round_trip.finding(min_utterances=1), *comparable])  # every reply of the call, however few
