"""How names are said that a voice would say otherwise."""
# ruff: noqa: RUF001  # phonemes are what this is about

import pytest

from voiceperf.engines import lexicon
from voiceperf.errors import InputError, ParameterError


@pytest.fixture
def written(tmp_path):
    """The path of a lexicon with such lines."""

    def write(text):
        path = tmp_path / "names.toml"
        path.write_text(text, encoding="utf-8")
        return str(path)

    return write


def test_whole_words_are_respelled(written):
    """In capitals or not, the longest first; a part of a word is left alone."""
    names = lexicon.load(written('Siobhan = "shi-vawn"\n"Siobhan Lee" = "shi-vawn ley"\n'))
    assert names.respell("SIOBHAN, Siobhan Lee and Siobhans") == "shi-vawn, shi-vawn ley and Siobhans"


def test_phonemes_stand_between_what_is_read(written):
    """What is around them keeps its order."""
    names = lexicon.load(written('Nguyen = "/wɪn/"\n'))
    assert names.has_phonemes("Dr. Nguyen is in.")
    assert not names.has_phonemes("Nguyens")
    assert list(names.parts("Dr. Nguyen is in.")) == [("Dr. ", False), ("wɪn", True), (" is in.", False)]


def test_letters_that_only_look_alike_are_left_alone(written):
    """A Turkish i without its dot, or with one too many, is no i of the lexicon; a sharp s is itself."""
    names = lexicon.load(written('Istanbul = "iss-tan-bull"\n"Strauß" = "shtrowss"\nIrina = "/i/"\n'))
    assert names.respell("\u0130stanbul and Strauß") == "\u0130stanbul and shtrowss"
    assert "".join(part for part, _ in names.parts("Ir\u0131na")) == "Ir\u0131na"


def test_no_lexicon_changes_nothing():
    """Which is what an empty path is."""
    none = lexicon.load("")
    assert none.respell("Siobhan") == "Siobhan"
    assert not none.has_phonemes("Siobhan")


@pytest.mark.parametrize("line", ["Nguyen = 3", 'Nguyen = ""', 'Nguyen = "//"', '[Nguyen]\nsay = "win"'])
def test_a_value_that_says_nothing_is_refused(written, line):
    """By the file's and the word's name."""
    with pytest.raises(ParameterError, match=r"names\.toml: Nguyen: write how it is said"):
        lexicon.load(written(line))


def test_a_lexicon_that_is_not_there_is_refused():
    """With its path."""
    with pytest.raises(InputError, match=r"none\.toml"):
        lexicon.load("none.toml")
