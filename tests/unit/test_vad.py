"""Finding speech: what is cut where, and what holds none."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf import lines
from voiceperf.audio import read_speech
from voiceperf.vad import BEGINS, FRAME, FRAME_S, SpeechDetector

CLIP = Path(__file__).parents[2] / "fixtures" / "audio" / "flac" / "ami_d001.flac"
LONGEST_S = 10.0


class Planned(SpeechDetector):
    """A detector that says what a test has planned."""

    def __init__(self, likely):
        self.likely, self.looked_at = likely, 0

    def probabilities(self, audio, gain=None):
        for likely in self.likely:
            self.looked_at += 1
            yield likely


def pieces(likely):
    return list(Planned(likely).pieces(np.zeros(len(likely) * FRAME, np.float32), LONGEST_S))


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 400)), max_size=12), st.integers(0, FRAME - 1))
def test_every_frame_of_speech_is_in_one_piece(stretches, less):
    """Pieces are in order, apart, inside and not too long, and no frame that is speech is left out."""
    likely = [0.9 if is_speech else 0.01 for is_speech, frames in stretches for _ in range(frames)]
    samples = max(0, len(likely) * FRAME - less)
    found = list(Planned(likely).pieces(np.zeros(samples, np.float32), LONGEST_S))
    flat = [sample for piece in found for sample in piece]
    assert flat == sorted(flat)
    assert all(0 <= sample <= samples for sample in flat)
    assert all(end - first <= LONGEST_S * 16_000 for first, end in found)
    heard = {frame for first, end in found for frame in range(first // FRAME, -(-end // FRAME))}
    assert {frame for frame, one in enumerate(likely) if one >= BEGINS} <= heard


def test_a_piece_ends_at_the_last_pause_that_fits():
    """Sentences are put together as long as they fit, and cut between, not within."""
    sentence, pause = [0.9] * 78, [0.02] * 19  # 2.5 s, 0.6 s
    (_, end), (begins, _) = pieces((sentence + pause) * 4)
    assert 3 * 97 - 19 < end / FRAME < begins / FRAME < 3 * 97


def test_speech_without_a_pause_is_cut_where_it_is_quietest():
    """Where nobody draws breath, the least likely frame of the second half is the place."""
    (_, end), *_ = pieces([0.9] * 250 + [0.6] + [0.9] * 300)
    assert end == 250 * FRAME


def test_pieces_come_as_they_are_found():
    """Nothing behind a piece's end and the next stretch is looked at before the piece is asked for."""
    sentence = [0.9] * 200 + [0.02] * 19
    detector = Planned(sentence * 100)
    next(detector.pieces(np.zeros(len(sentence) * 100 * FRAME, np.float32), LONGEST_S))
    assert detector.looked_at < 3 * len(sentence)


def test_real_speech_is_found_at_once_and_noise_is_not_speech():
    """A recorded sentence holds speech; silence, noise and a chord do not."""
    detector, rng = SpeechDetector(), np.random.default_rng(1)
    seconds = np.arange(32_000) / 16_000
    chord = sum(0.1 * np.sin(2 * np.pi * hz * seconds) for hz in (262, 330, 392)).astype(np.float32)
    assert detector.is_speech(read_speech(CLIP), BEGINS)
    for sound in (np.zeros(32_000, np.float32), rng.normal(0, 0.1, 32_000).astype(np.float32), chord):
        assert not detector.is_speech(sound, BEGINS)


@pytest.mark.parametrize("level", [0.1, 0.01, 0.003])
def test_quiet_speech_is_speech(level):
    """A microphone far off or turned down, in 16-bit sound: every recording still holds speech, and no noise does."""
    detector, rng = SpeechDetector(), np.random.default_rng(1)
    for path in sorted(CLIP.parent.glob("*.flac"))[::8]:
        quiet = np.round(read_speech(path) * level * 32767).astype(np.float32) / 32767
        assert detector.is_speech(quiet, BEGINS), path.name
    noise = np.round(rng.normal(0, 0.1 * level, 32_000) * 32767).astype(np.float32) / 32767
    hum = (level * np.sin(2 * np.pi * 50 * np.arange(32_000) / 16_000)).astype(np.float32)
    for sound in (noise, hum, rng.integers(-1, 2, 32_000).astype(np.float32) / 32767):
        assert not detector.is_speech(sound, BEGINS)


def test_a_short_word_in_noise_is_speech():
    """A digit of 0.3 s is found in 99 noises of 100 10 dB below it, though it is over before the model has settled."""
    digits = [read_speech(path) for path in sorted(CLIP.parent.glob("fsdd_*.flac"))]
    short = [digit for digit in digits if len(digit) < 0.35 * 16_000]
    detector = SpeechDetector()
    found = [detector.is_speech(lines.through("noise", digit, seed), BEGINS) for digit in short for seed in range(10)]
    assert sum(found) >= 99
    assert len(found) == 100


def test_a_click_does_not_hide_quiet_speech():
    """One loud sample, as of a plug, is not what the recording's level goes by."""
    quiet = read_speech(CLIP) * np.float32(0.01)
    quiet[100] = 1.0
    assert SpeechDetector().is_speech(quiet, BEGINS)


def test_a_burst_at_the_beginning_does_not_hide_quiet_speech():
    """Though the beginning is looked at twice, its level counts once: what is short stays short."""
    quiet = np.concatenate([read_speech(CLIP)] * 4) * np.float32(0.003)
    quiet[: int(len(quiet) * 0.0009)] = 1.0
    assert SpeechDetector().is_speech(quiet, BEGINS)


def test_a_recording_does_not_depend_on_the_one_before():
    """The model forgets what it heard: the same clip gives the same probabilities, whatever came before."""
    detector, clip = SpeechDetector(), read_speech(CLIP)
    alone = list(detector.probabilities(clip))
    list(detector.probabilities(np.random.default_rng(1).normal(0, 0.3, 16_000).astype(np.float32)))
    assert list(detector.probabilities(clip)) == alone
    assert len(alone) == pytest.approx(len(clip) / 16_000 / FRAME_S, abs=1)
