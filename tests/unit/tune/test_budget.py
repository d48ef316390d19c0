"""A search's time, on a clock that the test turns."""

import pytest

from voiceperf.tune.budget import Budget


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.seconds = 100.0

    def wall_ns(self):
        return int(self.seconds * 1e9)


@pytest.fixture
def hand():
    return Hand()


def test_without_experience_only_the_end_counts(hand):
    """Nothing is known of how long a trial takes, so the first one begins as long as there is any time."""
    budget = Budget(hand, 10)
    hand.seconds += 9.9
    assert not budget.is_over()
    hand.seconds += 0.2
    assert budget.is_over()
    assert budget.left_s() == pytest.approx(-0.1)


def test_a_trial_that_would_end_too_late_is_not_begun(hand):
    """With three seconds a trial, none begins in the last three."""
    budget = Budget(hand, 10)
    for _ in range(2):
        hand.seconds += 3
        budget.one_done()
    assert not budget.is_over()
    hand.seconds += 1.5
    assert budget.is_over()


def test_a_part_ends_at_its_share_of_the_whole(hand):
    """Half of the time is over at its middle, whatever has passed, and trials of the whole say nothing of its own."""
    budget = Budget(hand, 10)
    hand.seconds += 4
    budget.one_done()
    half = budget.part(0.5)
    assert half.left_s() == pytest.approx(1)
    assert not half.is_over()
    hand.seconds += 0.6
    half.one_done()
    assert half.is_over()
    assert not budget.is_over()


def test_one_long_trial_does_not_end_a_search(hand):
    """The first trial may take long, for what all of them share; the usual length is the median's."""
    budget = Budget(hand, 100)
    for seconds in (60, 5, 5):
        hand.seconds += seconds
        budget.one_done()
    assert not budget.is_over()
