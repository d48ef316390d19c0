"""Where somebody speaks: the rule that makes turns of probabilities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.newcall.speech import replies, spans
from voiceperf.vad import FRAME

SPEECH, SILENCE = 0.9, 0.02
PAUSE = 30  # frames of 32 ms: more than the pause that ends a turn


def frames(*stretches):
    return [likely for likely, count in stretches for _ in range(count)]


def test_two_sentences_with_a_pause_are_two_turns():
    """A pause ends a turn; a margin is kept on either side."""
    found = spans(frames((SILENCE, PAUSE), (SPEECH, 40), (SILENCE, PAUSE), (SPEECH, 30), (SILENCE, PAUSE)))
    assert len(found) == 2
    (first, end), (second, last) = found
    assert first < PAUSE * FRAME < (PAUSE + 40) * FRAME < end
    assert second < (2 * PAUSE + 40) * FRAME < last


def test_a_breath_does_not_end_a_turn():
    """A short silence within a sentence is part of it."""
    assert len(spans(frames((SPEECH, 30), (SILENCE, 10), (SPEECH, 30)))) == 1


def test_a_click_is_no_turn():
    """A sound shorter than a syllable is left out."""
    assert spans(frames((SILENCE, PAUSE), (SPEECH, 3), (SILENCE, PAUSE))) == []


def test_silence_has_no_turns():
    """A recording in which nobody speaks gives none."""
    assert spans(frames((SILENCE, 100))) == []


def test_a_monologue_is_cut_where_it_is_quietest():
    """What is longer than eight seconds is cut at its least likely frame, not in the middle of a word."""
    speech = frames((SPEECH, 200), (0.4, 1), (SPEECH, 200))
    (_, end), (begins, _) = spans(speech)[:2]
    assert end == begins == 200 * FRAME


@pytest.mark.parametrize("count", range(240, 262))
def test_no_piece_of_a_monologue_is_too_short_to_hear(count):
    """Speech a little longer than eight seconds leaves no click at its end."""
    assert all(end - first >= 8 * FRAME for first, end in spans([SPEECH] * count))


@given(st.lists(st.floats(0, 1), max_size=600))
def test_turns_are_in_order_apart_within_the_recording_and_bounded(speech):
    """Whatever the probabilities: turns do not overlap, lie inside, and last at most eight seconds."""
    found = spans(speech)
    flat = [sample for span in found for sample in span]
    assert flat == sorted(flat)
    assert all(first < end for first, end in found)
    assert all(0 <= sample <= len(speech) * FRAME for sample in flat)
    assert all(end - first <= 8.0 * 16_000 for first, end in found)


def test_an_agents_words_belong_to_what_the_caller_said_before():
    """Before the first words they are the greeting; also where the agent begins before the caller has ended."""
    caller, agent = [(100, 200), (500, 600)], [(0, 90), (190, 300), (310, 400), (650, 700)]
    assert replies(caller, agent) == [[(0, 90)], [(190, 300), (310, 400)], [(650, 700)]]
    assert replies(caller, []) == [[], [], []]
