"""What of a written text is spoken."""
# ruff: noqa: RUF001  # letters of other scripts are what this is about

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines.spoken import spoken, unreadable

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
        ("1. Soup\n2. Fish", "1. Soup, 2. Fish"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a, b, 1, 2"),
        ("Use `pip install x` now.", "Use pip install x now."),
        ("See [our page](https://a.b/c).", "See our page."),
        ("See www.foo.com.", "See foo dot com."),
        ("<think>hm, what?</think>Yes.", "Yes."),
        ("<think>never ended", ""),
        ("<b>Bold</b> and __bold__, snake_case, 5 * 3 = 15", "Bold and bold, snake_case, 5 times 3 = 15"),
        ("🇩🇪 👍🏽 fine ✓ 20°C", "fine 20°C"),
        ("$1.01, €9.50, £3 and $3.5 million", "1 dollar and 1 cent, 9 euros and 50 cents, 3 pounds and $3.5 million"),
        ("こんにちは", ""),
        ("The word こんにちは means hello, α is alpha.", "The word means hello, α is alpha."),
        ("Zoë's café, naïve; señor", "Zoë's café, naïve; señor"),
        ("...", ""),
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
