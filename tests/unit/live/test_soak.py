"""What a soak's figures mean, on turns that are made up."""

import os
import random
import subprocess
import sys

import pytest

from voiceperf.judge.verdict import Verdict
from voiceperf.live.record import TurnRecord
from voiceperf.live.soak import UNRULY, Footprint, Manner, Played, Soaked, _manner, footprint
from voiceperf.measure.resources import family

WARM = Footprint(10**9, 40, 60)


def turn(number, call=1, **changes):
    said = {"transcript": f"words {number}", "reply": f"reply {number}", "audio_sha256": f"sound {number}"}
    return TurnRecord(call, number, **{"first_audio_ms": 300.0, **said, **changes})


def soaked(loaded, warm=WARM, end=WARM):
    played = [one if isinstance(one, Played) else Played(one) for one in loaded]
    return Soaked([turn(1), turn(2)], played, warm=warm, end=end)


def test_equal_turns_and_a_steady_footprint_pass():
    """Nothing failed, changed or grew."""
    assert soaked([turn(1, 2), turn(2, 2), turn(1, 3)]).finding().verdict is Verdict.PASS


@pytest.mark.parametrize(
    "changes", [{"error": "hung up"}, {"transcript": "words 2"}, {"reply": "another"}, {"audio_sha256": "another"}]
)
def test_one_turn_that_is_lost_or_mixed_up_fails(changes):
    """A failed turn, or one that heard, said or sounded as another, is enough."""
    assert soaked([turn(1, 2), turn(1, 3, **changes)]).finding().verdict is Verdict.FAIL


def test_the_reason_names_a_case_only_where_there_is_one():
    """What went wrong first is told; a soak in which nothing did tells no empty list."""
    assert "(the first: hung up)" in soaked([turn(1, 2, error="hung up")]).finding().reason
    assert "the first" not in soaked([turn(1, 2)]).finding().reason


@pytest.mark.parametrize("end", [Footprint(1_011_000_000, 40, 60), Footprint(10**9, 41, 60), Footprint(10**9, 40, 61)])
def test_a_leak_fails(end):
    """Memory by more than 1%, one thread or one descriptor more at the end than when it was warm."""
    assert soaked([turn(1, 2)], end=end).finding().verdict is Verdict.FAIL


def test_a_runaway_delay_fails():
    """A 95th percentile of more than thirty times a call alone."""
    assert soaked([turn(1, 2, first_audio_ms=300.0 * 31)]).finding().verdict is Verdict.FAIL


@pytest.mark.parametrize("found", [soaked([]), soaked([turn(1, 2)], warm=None), soaked([turn(1, 2)], end=None)])
def test_what_was_not_measured_is_invalid(found):
    """Without turns under load, or without both footprints, there is no verdict."""
    assert found.finding().verdict is Verdict.INVALID


def test_of_a_dead_process_there_is_no_footprint():
    """A service that died leaves nothing to hold against, instead of an error that ends the soak."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert footprint([process.pid]) is None


def test_a_footprint_counts_children():
    """A service's engine runs in a process of its own, and is counted with it."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in {process.pid for process in family([os.getpid()])}
        child.communicate(b"\n")
    found = footprint([os.getpid()])
    assert min(found.rss_bytes, found.threads, found.descriptors) > 0


@pytest.mark.parametrize(
    "played",
    [
        Played(turn(1, 2, transcript=""), Manner.SILENT),
        Played(turn(1, 2, reply="rep", audio_sha256="", silence_ms=40.0), Manner.INTO),
        Played(turn(2, 2, transcript="Words, 2."), before=Manner.INTO),
    ],
)
def test_what_an_unruly_caller_is_answered_is_as_it_should_be(played):
    """Silence has no words, a reply that was spoken into is cut, and what began in it has the same words."""
    assert soaked([played]).finding().verdict is Verdict.PASS


@pytest.mark.parametrize(
    "played",
    [
        Played(turn(1, 2), Manner.SILENT),
        Played(turn(1, 2, transcript="words 2", silence_ms=40.0), Manner.INTO),
        Played(turn(2, 2, transcript="words"), before=Manner.INTO),
        Played(turn(1, 2, transcript="")),
    ],
)
def test_an_unruly_caller_excuses_nothing_else(played):
    """Words where nothing was said, others' words, and lost ones fail as ever."""
    assert soaked([played]).finding().verdict is Verdict.FAIL


def test_unruly_callers_do_what_they_do_as_often_as_it_says():
    """But nobody speaks into the last reply, and who has begun to speak goes on; polite ones are polite."""
    rng = random.Random(1)
    drawn = [_manner(rng, Manner.POLITE, is_last=False) for _ in range(4000)]
    for manner, share in UNRULY.items():
        assert drawn.count(manner) / len(drawn) == pytest.approx(share, abs=0.03)
    assert Manner.INTO not in {_manner(rng, Manner.POLITE, is_last=True) for _ in range(200)}
    assert {_manner(rng, Manner.INTO, is_last=False) for _ in range(200)} == {Manner.INTO, Manner.POLITE}
    assert _manner(None, Manner.POLITE, is_last=False) is Manner.POLITE
