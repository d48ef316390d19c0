"""How numbers, dates and abbreviations are read: by WeText's grammars and our rules, without an engine."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voiceperf.engines.read_aloud import Reader
from voiceperf.engines.spoken import spoken
from voiceperf.judge.text import score, word_error_rate

TEXTS = Path(__file__).parents[3] / "fixtures" / "text" / "written.toml"
AMERICAN = Reader("en-us")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("on 2026-11-28 at 19:30", "on November twenty eighth, twenty twenty six at nineteen thirty"),
        ("11/28/2026", "November twenty eighth, twenty twenty six"),
        ("June 12–15", "June twelfth to fifteenth"),  # noqa: RUF001
        ("on 12/25", "on December twenty fifth"),
        ("Tue, Mar 3", "Tuesday, March third"),
        ("9am-5pm, Mon-Fri", "nine AM to five PM, Monday to Friday"),
        ("at 7:05am", "at seven o five AM"),
        ("Call (212) 555-0187.", "Call two one two, five five five, zero one eight seven."),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("or 555-0123", "or five five five, zero one two three"),
        ("5 km at 60 mph", "five kilometers at sixty miles per hour"),
        ("68°F or 12V", "sixty eight degrees Fahrenheit or twelve volts"),
        ("1 kWh, 2 kWh", "one kilowatt hour, two kilowatt hours"),
        ("10-12 people", "ten to twelve people"),
        ("3/4 cup, 2¼ hours", "three quarters cup, two and one quarter hours"),
        ("open 24/7", "open twenty four seven"),
        ("the 1990s and the '80s", "the nineteen nineties and the eighties"),
        ("room 214, ZIP code 90210", "room two one four, ZIP code nine zero two one zero"),
        ("order #88213, item #5", "order number eight eight two one three, item number five"),
        ("flight BA2490", "flight B A two four nine zero"),
        ("v2.1.3", "version two point one point three"),
        ("12 Elm St. near St. John", "twelve Elm Street near Saint John"),
        ("305 W. 42nd Ave.", "three hundred five West forty second Avenue"),
        ("approx. 5, e.g. 4, w/o 3", "approximately five, for example, four, without three"),
        ("Henry VIII and World War II", "Henry the eighth and World War two"),
        ("info@ex-am.org", "info at ex-am dot org"),
        ("$20/night", "twenty dollars per night"),
        ('He said "2".', 'He said "two".'),
        ("Read 1,000 of 1,052 pages", "Read one thousand of one thousand fifty two pages"),
        ("3 in a row", "three in a row"),
        ("It's 5 ft 3 in the dark", "It's five feet three in the dark"),
        ("seat 12A, apartment 4L, 12V", "seat twelve A, apartment four L, twelve volts"),
        ("2 and 1/2 cups and 3/4 of it", "two and one half cups and three quarters of it"),
        (
            "order 250 pizzas, the order is 150 dollars",
            "order two hundred fifty pizzas, the order is one hundred fifty dollars",
        ),
        ("Your PIN is 1234.", "Your PIN is one two three four."),
        ("The St Regis in St. Paul, Ave Maria 5", "The Saint Regis in Saint Paul, Ave Maria five"),
        (
            "500-1000 people, call 555-1234 or 911",
            "five hundred to one thousand people, call five five five, one two three four or nine hundred eleven",
        ),
        ("Call 911", "Call nine one one"),
        ("Start IV 3, Title IX, Apollo XIII", "Start IV three, Title nine, Apollo thirteen"),
        ("Wait 30s. The 2010s, the 30s, 100s", "Wait thirty seconds. The twenty tens, the thirties, hundreds"),
        ("C:\\path\\5 -> 6", "C:\\path\\five -> six"),
    ],
)
def test_what_is_written_is_read_as_a_person_does(written, said):
    """Dates, times, telephone numbers, units, ranges, codes and abbreviations, one rule each."""
    assert AMERICAN.read(written) == said


def test_a_date_is_read_in_the_order_of_its_country():
    """In Britain the day comes before the month."""
    assert Reader("en-gb").read("on 24/7") == "on twenty four seven"
    assert Reader("en-gb").read("on 03/04/2026") == "on the third of april, twenty twenty six"
    assert AMERICAN.read("on 03/04/2026") == "on March fourth, twenty twenty six"


def test_other_languages_stay_as_they_are():
    """Their numbers are read by the voice's own rules."""
    assert Reader("fr-fr").read("à 19:30, 5 km") == "à 19:30, 5 km"


@pytest.mark.parametrize("use", ["calibration", "evaluation"])
def test_texts_of_language_models_are_read_in_the_words_of_a_person(use):
    """Of a hundred, at most three words in a hundred are others; on those for evaluation nothing was mended."""
    texts = [text for text in tomllib.loads(TEXTS.read_text())["text"] if text["use"] == use]
    read = [score(text["spoken"], AMERICAN.read(spoken(text["written"], "en-us"))) for text in texts]
    assert len(texts) == 100
    assert word_error_rate(read) <= 0.03


@settings(max_examples=300)
@given(st.text(st.characters(codec="utf-8")) | st.text("0123456789-/:.,$%#+() apmvwkg°½IVX'\"\\", max_size=40))
def test_whatever_is_written_is_read(text):
    """No text is refused, and what has no digit keeps its words, but for abbreviations."""
    assert isinstance(AMERICAN.read(text), str)


@given(st.lists(st.sampled_from(["Thank", "you", "we", "have", "tables", "at", "eight", "don't", "née"]), min_size=1))
def test_words_stay_as_they_are(words):
    """A text without numbers, signs and abbreviations is not touched."""
    assert AMERICAN.read(" ".join(words)) == " ".join(words)
