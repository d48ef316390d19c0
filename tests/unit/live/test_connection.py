"""What a caller's connection makes of their speech, with real codecs and a made-up network."""

from pathlib import Path

import numpy as np
import pytest

from voiceperf import call
from voiceperf.errors import InputError
from voiceperf.live.connection import CONNECTIONS, Connection, connected
from voiceperf.live.replay import Pace

CALL = call.load(Path(__file__).parents[3] / "fixtures" / "calls" / "call61.toml")
SPEECH = CALL.turns[3].audio
ONES = np.ones(16_000 * 60, np.float32)


@pytest.mark.parametrize("name", CONNECTIONS)
def test_a_connection_is_the_same_each_time(name):
    """One seed, one sound, as long as the speech was; and the speech is left as it was."""
    before = SPEECH.copy()
    first, again = (CONNECTIONS[name].carried(SPEECH, 7) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(first) == len(SPEECH)
    assert np.array_equal(SPEECH, before)
    assert 0.9 < np.corrcoef(first, SPEECH)[0, 1] < 1


def lost(connection):
    """Which packets of a minute are silence."""
    heard = connection.carried(ONES, 3)
    return heard.reshape(-1, 320).max(axis=1) == 0


def test_as_many_packets_are_lost_as_it_says():
    """Alone, or in bursts that are as long in the mean; and whole packets only."""
    alone, bursts = (lost(Connection(np.copy, lost=0.1, burst=burst)) for burst in (1.0, 5.0))
    assert alone.mean() == pytest.approx(0.1, abs=0.02)
    assert bursts.mean() == pytest.approx(0.1, abs=0.04)
    lengths = [missing.sum() / max(1, (np.diff(missing.astype(int)) == 1).sum()) for missing in (alone, bursts)]
    assert lengths[0] == pytest.approx(1.0, abs=0.2)
    assert lengths[1] == pytest.approx(5.0, abs=1.5)


def test_what_comes_later_than_the_buffer_is_lost():
    """With a longer buffer less is, and none without lateness."""
    shares = [lost(Connection(np.copy, late_ms=20.0, buffer_ms=buffer)).mean() for buffer in (20.0, 60.0)]
    assert shares == pytest.approx([np.exp(-1), np.exp(-3)], abs=0.03)
    assert not lost(Connection(np.copy)).any()


def test_a_call_over_a_line_comes_in_real_time_and_later():
    """By what its receiver waits for late packets; its words stay what they are."""
    over, pace = connected(CALL, "wifi", Pace())
    assert (pace.real_time, pace.late_ms) == (True, CONNECTIONS["wifi"].buffer_ms)
    assert [turn.transcript for turn in over.turns] == [turn.transcript for turn in CALL.turns]
    assert not np.array_equal(over.turns[0].audio, CALL.turns[0].audio)


def test_a_line_that_is_not_there_is_refused():
    """With the names of those that are."""
    with pytest.raises(InputError, match="--line lte: there is no such line; there are phone, voip, wifi"):
        connected(CALL, "lte", Pace())
