"""Text handed on while it is made: it adds up to the whole, whatever the tokens' bounds."""

from hypothesis import example, given
from hypothesis import strategies as st

from voiceperf.engines.text_parts import TextParts

STOPS = st.lists(st.text("ab.", min_size=1, max_size=3), max_size=2)


def parts_of(tokens, stops=()):
    parts = TextParts(stops)
    return [*(parts.add(token) for token in tokens), parts.rest()]


def cut(data, sizes):
    """Bytes in pieces of some sizes, the last of what is left."""
    found = []
    for size in sizes:
        found.append(data[:size])
        data = data[size:]
    return [*found, data]


@given(st.text(max_size=40), st.lists(st.integers(0, 5), max_size=20))
def test_parts_add_up_to_the_stripped_text(text, sizes):
    """However characters are cut into tokens, the parts are the text without the space around it."""
    assert "".join(parts_of(cut(text.encode(), sizes))) == text.strip()


@example("aaaa ba", [1, 5], ["ba"])
@given(st.text("ab. ", max_size=30), st.lists(st.integers(0, 5), max_size=20), STOPS)
def test_what_ends_the_reply_is_never_given(text, sizes, stops):
    """Up to the first text that ends it, and not a letter of that text, even where tokens cut it."""
    expected = text
    for stop in stops:
        expected = expected.split(stop, 1)[0]
    assert "".join(parts_of(cut(text.encode(), sizes), stops)) == expected.strip()


def test_half_a_character_waits_for_its_other_half():
    """The bytes of one character in two tokens are given with the second."""
    first, second = "é".encode()[:1], "é".encode()[1:]
    assert parts_of([first, second]) == ["", "é", ""]
