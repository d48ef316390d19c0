"""Several processes started at once, and ended at once."""

import threading

import pytest

from voiceperf.measure.together import closed, started

WAIT_S = 10


class Made:
    def __init__(self, meeting=None):
        if meeting:
            meeting.wait(WAIT_S)
        self.is_closed = False

    def close(self):
        self.is_closed = True


def test_all_are_made_at_once():
    """Two that wait for each other are both made."""
    meeting = threading.Barrier(2)
    made = started({"a": lambda: Made(meeting), "b": lambda: Made(meeting)})
    assert set(made) == {"a", "b"}


def test_where_one_fails_none_is_left():
    """What the first raised is raised, and the others are closed."""
    good = Made()

    def bad():
        raise ValueError("no such model")

    with pytest.raises(ValueError, match="no such model"):
        started({"good": lambda: good, "bad": bad})
    assert good.is_closed


def test_nothing_is_nothing():
    """No process at all is not an error."""
    assert started({}) == {}
    closed([])
