"""Differences over speakers: counts as words are lost, one voice that has most of them, and few voices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.speakers import difference_over_speakers

SPEAKERS = ["often"] * 30 + [f"speaker {number % 20}" for number in range(60)]
WORDS = [6] * len(SPEAKERS)


def lost_words(seed, before=0.08, after=0.08):
    """Errors of a baseline and a candidate, some of each speaker's own."""
    rng = np.random.default_rng(seed)
    own = {speaker: rng.beta(2, 20) for speaker in dict.fromkeys(SPEAKERS)}  # in one order, whatever the hash seed
    return [
        (rng.binomial(words, (own[speaker] + before) / 2), rng.binomial(words, (own[speaker] + after) / 2))
        for speaker, words in zip(SPEAKERS, WORDS, strict=True)
    ]


def test_the_bound_of_equal_hearers_holds():
    """Of 300 equal candidates, the one-sided 95% bound lies below no difference in about one of twenty."""
    below = [difference_over_speakers(lost_words(seed), WORDS, SPEAKERS).high < 0 for seed in range(300)]
    assert np.mean(below) < 0.08


@pytest.mark.parametrize("loss", [0.06, 0.12])
def test_a_planted_loss_is_found(loss):
    """The mean estimate is the planted loss, though one voice counts for less than it says."""
    found = [difference_over_speakers(lost_words(seed, 0.05, 0.05 + loss * 2), WORDS, SPEAKERS) for seed in range(60)]
    assert np.mean([one.estimate for one in found]) == pytest.approx(loss, abs=0.006)


def test_one_voice_counts_for_a_tenth():
    """A voice that alone loses all its words, and has a third of all, moves the rate by a tenth."""
    losses = [(0, 6) if speaker == "often" else (0, 0) for speaker in SPEAKERS]
    assert difference_over_speakers(losses, WORDS, SPEAKERS).estimate == pytest.approx(0.1)


@given(st.lists(st.floats(0.1, 1e4), min_size=5, max_size=60))
def test_no_voice_counts_for_more_than_its_share(words):
    """Whoever alone loses everything moves the rate by a tenth at most; of few voices by twice the mean."""
    speakers = [str(number) for number in range(len(words))]
    loudest = words.index(max(words))
    losses = [(0.0, count if number == loudest else 0.0) for number, count in enumerate(words)]
    found = difference_over_speakers(losses, words, speakers)
    assert found.estimate <= max(0.1, 2 / len(words)) + 1e-9


def test_fewer_voices_leave_more_doubt():
    """The same losses of four-and-twenty voices bound a rate more closely than those of six."""
    rng = np.random.default_rng(3)
    losses = [(int(rng.binomial(6, 0.1)), int(rng.binomial(6, 0.1))) for _ in range(96)]
    many, few = (
        difference_over_speakers(losses, [6] * 96, [str(number % voices) for number in range(96)]) for voices in (24, 6)
    )
    assert many.freedom > few.freedom == pytest.approx(5)


def test_nobody_said_a_word():
    """Nothing to divide by is None, with voices and without."""
    assert difference_over_speakers([], [], []) is None
    assert difference_over_speakers([(0, 0)] * 9, [0] * 9, list("abcdefghi")) is None
