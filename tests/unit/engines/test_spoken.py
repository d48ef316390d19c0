"""What of a written text is spoken."""
# ruff: noqa: RUF001  # letters of other scripts are what this is about

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines.spoken import Thoughts, spoken, unreadable, without_thoughts

FIXTURES = Path(__file__).parents[3] / "fixtures"


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "**Sure!** Here you go: * soup - $9 😊 see https://ex.am/p?id=3",
            "Sure! Here you go: soup, 9 dollars see ex dot am",
        ),
        ("--------", ""),
        ("Here is your list.\n\n--------\n\nMonday at nine is free.", "Here is your list. Monday at nine is free."),
        ("# Menu\n* Soup\n* Fish\nEnjoy!", "Menu, Soup, Fish, Enjoy!"),
        ("1. Soup\n2. Fish", "1, Soup, 2, Fish"),
        ("Run:\n```bash\nmake\n```", "Run: make"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b, 1, 2"),
        ("Use `pip install x` now.", "Use pip install x now."),
        ("See [our page](https://a.b/c).", "See our page."),
        ("See www.foo.com.", "See foo dot com."),
        ("<think>hm, what?</think>Yes.", "Yes."),
        ("<think>never ended", ""),
        ("<b>Bold</b> and __bold__, snake_case, 5 * 3 = 15", "Bold and bold, snake_case, 5 times 3 = 15"),
        ("🇩🇪 👍🏽 fine ✓ 20°C", "fine 20°C"),
        ("$1.01, €9.50, £3 and $3.5", "1 dollar and 1 cent, 9 euros and 50 cents, 3 pounds and 3.5 dollars"),
        ("こんにちは", ""),
        ("The word こんにちは means hello, α is alpha.", "The word means hello, α is alpha."),
        ("Zoë's café, naïve; señor", "Zoë's café, naïve; señor"),
        ("...", ""),
        ("<think>I should be kind. They want food.</think>Hello!", "Hello!"),
        ("if x<y then z>w", "if x<y then z>w"),
        ('<p class="x">Hi</p> <br/>there', "Hi there"),
        ("see <https://ex.am/x> ok", "see ex dot am ok"),
        ("2**3 is 2^3", "2 to the power of 3 is 2 to the power of 3"),
        ("10 - 3 = 7", "10 minus 3 = 7"),
        ("from 10:30 - 11:00, or 1990 – 1995", "from 10:30 to 11:00, or 1990 to 1995"),
        ("$5M, $100k, €2 billion", "5 million dollars, 100 thousand dollars, 2 billion euros"),
        ("£1.5bn or $1.2.3", "1.5 billion pounds or $1.2.3"),
        ("$10-20 or $10.50-12", "10 to 20 dollars or 10.50 to 12 dollars"),
    ],
)
def test_a_text_is_said_as_a_person_would_read_it(written, said):
    """Markup, emoji, addresses and unreadable letters are left out; money is said in its order."""
    assert spoken(written, "en-us") == said


def test_plain_sentences_stay_as_they_are():
    """No reply of the call and no answer of the written conversations is changed."""
    call = tomllib.loads((FIXTURES / "calls" / "call61.toml").read_text())
    talks = tomllib.loads((FIXTURES / "text" / "conversations.toml").read_text())["conversation"]
    texts = [turn["reply"] for turn in call["turn"]] + [answer for talk in talks for _, answer in talk["turns"]]
    assert [text for text in texts if spoken(text, "en-us") != text] == []


def test_a_language_with_letters_of_its_own_is_left_alone():
    """Japanese is unreadable in English, and not in Japanese."""
    assert unreadable("こんにちは hello", "en-us") == ["こんにちは"]
    assert unreadable("こんにちは hello", "ja") == []
    assert spoken("こんにちは", "ja") == "こんにちは"


@given(st.text(max_size=200))
def test_whatever_is_written_ends_in_one_line_that_says_something_or_nothing(text):
    """Any text becomes one line without markup, and saying it again changes no word of it."""
    line = spoken(text, "en-us")
    assert "\n" not in line
    assert "*" not in line
    assert not line or any(character.isalnum() for character in line)


@given(st.lists(st.sampled_from(["Yes. ", "<think>", "</think>", "hm. ", "<thi", "a < b"]), max_size=12), st.data())
def test_thoughts_are_left_out_however_the_text_comes(parts, data):
    """Cut anywhere, also within a mark, a text loses the same thoughts and nothing else."""
    text = "".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    thoughts = Thoughts()
    streamed = "".join(thoughts.add(text[a:b]) for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True))
    whole = without_thoughts(text)
    assert streamed + thoughts.rest() == whole
    assert "<think>" not in whole
    if "<think>" not in text:
        assert whole == text
