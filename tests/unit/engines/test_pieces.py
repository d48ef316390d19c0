"""Pieces of a text that is still being written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines.pieces import PieceStream, bounded, pieces_of

WORDS = st.lists(
    st.sampled_from(
        ["Thursday", "the", "seventh", "we", "have", "tables,", "Dr.", "at", "eight.", "Yes.", "Which", "one?", "1.5"]
    ),
    max_size=25,
)
REPLIES = [
    "Thursday, of course. And which date would that be?",
    "Thursday the seventh. We have tables at half past five, at eight, and at a quarter to nine. Which would you like?",
    "Eight in the evening it is, then. And what name may I put down for the booking, please?",
    "I will do that for you. Does anyone in your party have any allergies?",
    "Two. See you Thursday!",
]


def streamed(additions, **options):
    stream = PieceStream("en-us", **options)
    return [piece for text in additions for piece in stream.add(text)] + stream.rest()


@given(WORDS, st.lists(st.integers(1, 9), max_size=40))
def test_how_the_text_comes_does_not_matter(words, sizes):
    """Letter by letter, in tokens or whole: the pieces are the same, and none is lost."""
    text, left, additions = " ".join(words), " ".join(words), []
    for size in sizes:
        additions.append(left[:size])
        left = left[size:]
    found = streamed([*additions, left])
    assert found == streamed(list(text))
    assert " ".join(found).split() == text.split()


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_is_cut_as_when_it_is_whole(reply):
    """A streamed reply is spoken in the pieces in which the whole one is."""
    assert streamed(reply) == pieces_of(reply, "en-us")


def test_the_first_piece_comes_before_the_text_ends():
    """What can be spoken is given while the rest is still being written."""
    stream = PieceStream()
    assert stream.add("Thursday the seventh. We have ") == []
    assert stream.add("tables at ") == ["Thursday the seventh."]


def test_without_splitting_all_is_one_piece():
    """A setting that speaks a reply at once gets it at once."""
    assert streamed(["One sentence. ", "And another one, a longer one."], split=False) == [
        "One sentence. And another one, a longer one."
    ]


def test_no_text_has_no_pieces():
    """Space is nothing to speak."""
    assert streamed(["  ", "\n"]) == []
    assert streamed(["  "], split=False) == []


@pytest.mark.parametrize("between", ["\n", "\t", "\N{NO-BREAK SPACE}"])
def test_a_long_list_is_cut_between_its_words(between):
    """Whatever separates them, no word is cut."""
    words = [f"Blueberries{number}" for number in range(60)]
    cut = bounded(between.join(words))
    assert len(cut) > 1
    assert [word for part in cut for word in part.split()] == words


@pytest.mark.parametrize(
    "text",
    [
        "The repair takes approx. 2 hrs with no extra charge.",
        "It is open on Fri. 7 March and on Sat. 8 March as well.",
        "We are at the corner of Oak and Ave. of the stars, say.",
    ],
)
def test_no_sentence_begins_after_an_abbreviation(text):
    """Before a number, or in small letters, the sentence goes on."""
    assert pieces_of(text, is_begin=False) == [text]


def test_a_date_is_not_cut_before_its_year():
    """A first piece ends at another clause."""
    (first, *_) = pieces_of("We have you down for November 28, 2026, and we look forward to it.")
    assert first == "We have you down for November 28, 2026,"


def test_a_text_without_capitals_has_sentences_too():
    """There a small letter says nothing of where one begins."""
    assert len(pieces_of("we have two tables. do you want one? they are by the window.", is_begin=False)) > 1
