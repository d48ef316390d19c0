"""Pairs of turns: what becomes a ratio, and what does not."""

import pytest

from voiceperf.live.record import TurnRecord
from voiceperf.live.replay import Crowd, Paired, saturation


def turns(times_ms, **changes):
    return [TurnRecord(1, number, first_audio_ms=ms, **changes) for number, ms in enumerate(times_ms, start=1)]


def test_the_ratio_is_of_turns_side_by_side():
    """A candidate that takes half of each turn's time takes half."""
    found = Paired(turns([800.0, 600.0] * 4)[:2] * 4, turns([400.0, 300.0] * 4)[:2] * 4).ratio()
    assert found.estimate == pytest.approx(0.5)
    assert found.samples == 8


def test_a_turn_that_never_succeeded_leaves_no_ratio():
    """What failed on one side every time is not measured, whatever the other turns say."""
    failed = [*turns([800.0]), TurnRecord(1, 2, error="gone")]
    found = Paired(turns([800.0, 600.0]), failed)
    assert found.ratio() is None
    assert found.errors() == ["gone"]


def test_a_turn_that_was_cut_off_is_no_pair():
    """An answer to half of the words comes soon, and says nothing of how soon it would have come to all."""
    cut_off = [*turns([100.0], end_of_turn_ms=-300.0), *turns([400.0], end_of_turn_ms=500.0)]
    assert Paired(turns([800.0, 800.0])[:1] * 2, cut_off).ratio().estimate == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("turns_per_s", "found"),
    [([1.0, 1.9, 2.0, 2.0], 2), ([1.0, 2.0, 4.0], None), ([1.0, 0.8], 1), ([1.0], None)],
)
def test_a_crowd_is_full_where_more_callers_bring_no_more_turns(turns_per_s, found):
    """Less than a tenth more turns a second from one crowd to the next."""
    crowds = [Crowd(2**place, turns([1.0] * round(10 * rate)), 10.0) for place, rate in enumerate(turns_per_s)]
    assert saturation(crowds) == found


def test_turns_that_failed_are_not_answered():
    """They bring nothing a second."""
    assert Crowd(1, [*turns([1.0, 2.0]), *turns([3.0], error="gone")], 4.0).turns_per_s == 0.5
