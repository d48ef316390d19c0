from math import log10

import numpy as np
import pytest

from voiceperf.lines import LINES, through

RATE_HZ = 16_000
SPEECH = (np.sin(2 * np.pi * 440 * np.arange(RATE_HZ) / RATE_HZ) * 0.3).astype(np.float32)
HISS = (np.sin(2 * np.pi * 6000 * np.arange(RATE_HZ) / RATE_HZ) * 0.3).astype(np.float32)


def power(samples):
    return float(np.square(samples, dtype=np.float64).mean())


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_the_same_each_time(line):
    """One seed, one sound: float32, finite, and the speech itself is left as it was."""
    before = SPEECH.copy()
    first, again = (through(line, SPEECH, 7) for _ in range(2))
    assert np.array_equal(first, again)
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert np.array_equal(SPEECH, before)


def test_a_clean_line_changes_nothing():
    """It is the recording."""
    assert np.array_equal(through("clean", SPEECH, 1), SPEECH)


def test_noise_is_ten_decibels_below_the_speech():
    """Whatever the level of the recording; another seed is other noise."""
    for level in (0.01, 1.0):
        noise = through("noise", SPEECH * level, 1) - SPEECH * level
        assert 10 * log10(power(SPEECH * level) / power(noise)) == pytest.approx(10, abs=0.05)
    assert not np.allclose(through("noise", SPEECH, 1), through("noise", SPEECH, 2))


def test_noise_is_stronger_in_the_low_notes():
    """Pink: an octave lower holds as much power, so a hertz there holds more."""
    spectrum = np.abs(np.fft.rfft(through("noise", SPEECH, 1) - SPEECH)) ** 2
    assert spectrum[100:200].sum() == pytest.approx(spectrum[3200:6400].sum(), rel=0.5)


def test_a_telephone_passes_speech_and_no_hiss():
    """A tone in its band arrives within the steps of its code; one above 4 kHz does not."""
    heard = through("phone", SPEECH, 1)
    assert len(heard) == len(SPEECH)
    assert 10 * log10(power(SPEECH) / power(heard - SPEECH)) > 20
    assert power(through("phone", HISS, 1)) < power(HISS) / 1000


def test_silence_comes_first():
    """A second of nothing, then the recording as it is."""
    heard = through("silence", SPEECH, 1)
    assert not heard[:RATE_HZ].any()
    assert np.array_equal(heard[RATE_HZ:], SPEECH)


def test_silence_has_no_noise_to_measure_by():
    """Digital silence over a noisy line stays silent, and is no division by zero."""
    assert not through("noise", np.zeros(100, np.float32), 1).any()
