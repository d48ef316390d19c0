"""How much less likely a candidate finds what was said: no difference, a known one, few speakers, one loud one."""

import numpy as np
import pytest

from voiceperf.judge.recitals import extra_nats

SPEAKERS = [f"speaker {number % 12}" for number in range(60)]


def recitals(seed, loss=0.0, spread=0.3, tokens=8):
    """A baseline's and a candidate's log probabilities, which differ by a loss and by noise."""
    rng = np.random.default_rng(seed)
    baseline = [-rng.exponential(0.8, tokens) for _ in SPEAKERS]
    return baseline, [one - loss - rng.normal(0, spread, tokens) for one in baseline]


def test_the_same_loses_nothing():
    """Equal recitals differ by nothing, without a doubt."""
    baseline, _ = recitals(1)
    found = extra_nats(baseline, baseline, SPEAKERS)
    assert (found.estimate, found.low, found.high) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_a_known_loss_is_found(loss):
    """The interval holds what was planted, and leaves out nothing lost."""
    found = extra_nats(*recitals(2, loss, spread=0.1), SPEAKERS)
    assert found.low < loss < found.high
    assert found.low > 0


def test_the_bound_holds_as_often_as_it_says():
    """Of 300 candidates without a loss, the one-sided 95% bound is below zero in about one of twenty."""
    below = [extra_nats(*recitals(seed), SPEAKERS).high < 0 for seed in range(300)]
    assert np.mean(below) < 0.08


def test_one_speaker_does_not_decide():
    """A voice with nine tenths of all words counts for no more than a tenth of them."""
    loud = ["loud"] * 60 + SPEAKERS
    baseline = [np.full(72, -1.0)] * 60 + [np.full(8, -1.0)] * 60
    candidate = [np.full(72, -1.5)] * 60 + [np.full(8, -1.0)] * 60
    assert extra_nats(baseline, candidate, loud).estimate < 0.3 < 0.9 * 0.5


def test_few_speakers_leave_single_utterances():
    """Of two speakers, utterances are drawn: the interval says something of these two."""
    baseline, candidate = recitals(3, 0.1, spread=0.1)
    found = extra_nats(baseline, candidate, ["one", "two"] * 30)
    assert 0 < found.low < 0.1 < found.high


def test_without_a_token_there_is_nothing_to_say():
    """None, and not zero."""
    assert extra_nats([], [], []) is None
