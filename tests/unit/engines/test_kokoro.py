import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines.kokoro import joined, pieces_of


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("Yes.", ["Yes."]),
        ("Two. See you Thursday!", ["Two. See you Thursday!"]),
        ("Thursday, of course. And how many?", ["Thursday, of course. And how many?"]),
        (
            "Thursday, of course. And which date would that be?",
            ["Thursday, of course.", "And which date would that be?"],
        ),
        ("Your table is with Mr. Smith. See you then!", ["Your table is with Mr. Smith. See you then!"]),
        (
            "We have tables at half past five, at eight, and at nine. Which would you like?",
            ["We have tables at half past five,", "at eight, and at nine.", "Which would you like?"],
        ),
        ("  no end ", ["no end"]),
        ("", []),
    ],
)
def test_text_is_spoken_by_sentence(text, pieces):
    """Sentences, the first cut at a clause where it is long, and nothing so short that it would be spoken slowly."""
    assert pieces_of(text) == pieces


@given(st.lists(st.text("ab ,.!?\u00e9", max_size=30)).map(" ".join))
def test_no_character_is_lost(text):
    """The pieces are the text, but for the spaces between them."""
    assert "".join("".join(pieces_of(text)).split()) == "".join(text.split())


def test_sounds_are_joined_with_pauses():
    """Each piece is where it is said to be, and between two there is silence of the length asked for."""
    audio, places = joined([np.full(3, 0.5, np.float32), np.full(2, 0.25, np.float32)], 4)
    assert places == [(0, 3), (7, 9)]
    np.testing.assert_array_equal(audio, np.float32([0.5] * 3 + [0] * 4 + [0.25] * 2))
