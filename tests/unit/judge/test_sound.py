import numpy as np
import pytest

from voiceperf.judge.sound import (
    MAX_DURATION_SHIFT,
    MAX_LEVEL_SHIFT_DB,
    distance_beyond_trimming_db,
    duration_shift,
    level_shift_db,
    log_spectral_distance_db,
)
from voiceperf.judge.verdict import Verdict, point_at_most

RATE_HZ = 24_000


def speechlike(seed=0, seconds=1.0):
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    voice = sum(np.sin(2 * np.pi * 120 * k * t) / k for k in range(1, 20))
    return (voice * (1 + np.sin(2 * np.pi * 4 * t)) + 0.01 * rng.normal(size=t.size)).astype(np.float32)


def test_same_sound_has_no_distance():
    """A sound is at distance zero from itself, and a little louder is still the same sound."""
    sound = speechlike()
    assert log_spectral_distance_db(sound, sound, RATE_HZ) == 0
    assert log_spectral_distance_db(sound, 0.9 * sound, RATE_HZ) == pytest.approx(0, abs=0.05)


def test_distance_grows_with_noise():
    """More noise, more distance; a lot of it is far beyond the limit."""
    sound = speechlike()
    noise = np.random.default_rng(1).normal(size=sound.size).astype(np.float32)
    near, far = (log_spectral_distance_db(sound, sound + level * noise, RATE_HZ) for level in (0.001, 0.3))
    assert near < 1.3 < far


def test_distance_is_symmetric():
    """It does not matter which of two sounds came first."""
    a, b = speechlike(1), 0.5 * speechlike(2) + 0.2
    there, back = log_spectral_distance_db(a, b, RATE_HZ), log_spectral_distance_db(b, a, RATE_HZ)
    assert there == pytest.approx(back)


def test_a_sound_cut_a_step_sooner_is_the_same_sound():
    """Laid over each other again, two sounds of which one was cut sooner are alike; another sound is not."""
    sound = np.concatenate([speechlike(1), 0.3 * speechlike(2), speechlike(3)])
    assert log_spectral_distance_db(sound, sound[512:], RATE_HZ) > 1.3
    assert distance_beyond_trimming_db(sound, sound[512:], RATE_HZ) < 0.1
    assert distance_beyond_trimming_db(sound[512:], sound, RATE_HZ) < 0.1
    assert distance_beyond_trimming_db(sound, sound[::-1].copy(), RATE_HZ) > 1.3


def test_one_step_of_trimming_is_no_shift():
    """A sound that was cut one step sooner lasts as long; a syllable more is a shift, of any length of sound."""
    short, long = np.zeros(38_000, np.float32), np.zeros(168_000, np.float32)
    assert duration_shift(short, short[512:]) == duration_shift(short[512:], short) == 0
    assert duration_shift(short, short[1024:]) > MAX_DURATION_SHIFT
    assert duration_shift(long, long[:-1024]) < MAX_DURATION_SHIFT < duration_shift(long, long[:-2400])


@pytest.mark.parametrize(
    ("factor", "verdict"),
    [(1.0, Verdict.PASS), (0.8, Verdict.PASS), (0.5, Verdict.FAIL), (0.001, Verdict.FAIL)],
)
def test_a_voice_that_is_much_softer_fails(factor, verdict):
    """Half as loud is a loss that nothing relative sees."""
    shift = level_shift_db(speechlike(), (speechlike() * factor).astype(np.float32))
    assert point_at_most(shift, MAX_LEVEL_SHIFT_DB, "loudness").verdict is verdict
