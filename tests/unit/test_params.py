from dataclasses import dataclass
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.errors import ParameterError
from voiceperf.params import EngineParams, tunable


@dataclass(frozen=True)
class Radio(EngineParams):
    engine: ClassVar[str] = "radio"

    volume: int = tunable(5, "how loud", low=0, high=11, unit="steps", neutral=True)
    band: str = tunable("fm", "which waves", choices=("fm", "am"))
    stereo: bool = tunable(True, "two channels")
    treble: float = tunable(0.5, "how sharp", low=0.0, high=1.0)
    presets: tuple[str, ...] = tunable((), "stations")


def test_defaults_stand_where_nothing_is_said():
    """An empty table gives the declared defaults."""
    assert Radio.parse({}) == Radio(5, "fm", True, 0.5, ())


def test_unknown_name_is_refused_with_the_nearest_one(one_line):
    """A misspelt parameter is named, with the one that was meant."""
    with pytest.raises(ParameterError) as caught:
        Radio.parse({"volme": 3})
    one_line(caught.value, "radio", "'volme'", "did you mean 'volume'")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"volume": 12}, "at most 11 steps"),
        ({"volume": -1}, "at least 0 steps"),
        ({"band": "uhf"}, "one of fm, am"),
        ({"volume": "3"}, "type int"),
        ({"volume": True}, "type int"),
        ({"stereo": 1}, "type bool"),
    ],
)
def test_bad_value_is_refused_with_its_bounds(values, said, one_line):
    """A value out of bounds, choices or type is refused by name, with what would do."""
    with pytest.raises(ParameterError) as caught:
        Radio.parse(values)
    one_line(caught.value, f"radio.{next(iter(values))}", said)


def test_whole_number_serves_as_a_float():
    """TOML's 1 is good where 1.0 is meant."""
    assert Radio.parse({"treble": 1}).treble == 1


@given(st.integers(0, 11), st.sampled_from(["fm", "am"]), st.booleans(), st.floats(0, 1), st.lists(st.text(min_size=1)))
def test_plain_values_round_trip(volume, band, stereo, treble, presets):
    """What `as_dict` gives, `parse` takes back."""
    radio = Radio(volume, band, stereo, treble, tuple(presets))
    assert Radio.parse(radio.as_dict()) == radio


@given(st.integers(-100, 100))
def test_bounds_hold_exactly(volume):
    """A number is taken if and only if it lies within the bounds."""
    if 0 <= volume <= 11:
        assert Radio(volume=volume).volume == volume
    else:
        with pytest.raises(ParameterError):
            Radio(volume=volume)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("volume", "7", 7), ("stereo", "off", False), ("treble", "0.25", 0.25), ("presets", "a,b", ("a", "b"))],
)
def test_text_of_the_command_line_becomes_a_value(name, text, value):
    """The declared default's type decides how text is read."""
    assert Radio.parse_text(name, text) == value


@pytest.mark.parametrize(("name", "text"), [("volume", "loud"), ("stereo", "perhaps"), ("colour", "red")])
def test_text_that_is_no_value_is_refused(name, text):
    """Text of a wrong type, or of an unknown parameter, is refused."""
    with pytest.raises(ParameterError):
        Radio.parse_text(name, text)


def test_outcome_ignores_what_only_changes_speed():
    """Two settings that differ in a neutral parameter alone have the same outcome."""
    assert Radio(volume=1).outcome() == Radio(volume=9).outcome()
    assert Radio(treble=0.1).outcome() != Radio(treble=0.9).outcome()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"treble": float("nan")}, "finite"),
        ({"treble": float("inf")}, "finite"),
        ({"presets": [1]}, "list of texts"),
        ({"presets": ["a", ""]}, "none of them empty"),
    ],
)
def test_what_no_bound_excludes_is_refused(values, said, one_line):
    """NaN is within every bound, and a list is more than its type."""
    with pytest.raises(ParameterError) as caught:
        Radio.parse(values)
    one_line(caught.value, "radio", said)
