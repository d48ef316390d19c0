"""A profile with single values changed, as `--set` spells them."""

import pytest

from voiceperf import profiles
from voiceperf.errors import ParameterError
from voiceperf.measure.contender import changed, of_profile
from voiceperf.roles import HEARING, SPEAKING, THINKING


def test_a_value_is_changed_for_the_one_engine_that_has_it():
    """Nothing else of the profile is touched, and whose role it is comes back."""
    fair = profiles.load("fair")
    profile, touched = changed(fair, ["by_sentence=true"])
    assert touched == [SPEAKING]
    assert of_profile(profile, SPEAKING).params.by_sentence is True
    assert of_profile(profile, THINKING).params == of_profile(fair, THINKING).params
    assert changed(fair, []) == (fair, [])


@pytest.mark.parametrize("name", ["thinking.n_threads", "llama.n_threads"])
def test_a_role_or_an_engine_says_whose_value_is_meant(name):
    """Where several engines have a parameter of that name."""
    profile, touched = changed(profiles.load("fair"), [f"{name}=1", "hearing.n_threads=2"])
    assert touched == [THINKING, HEARING]
    assert of_profile(profile, THINKING).params.n_threads == 1
    assert of_profile(profile, HEARING).params.n_threads == 2


def test_what_is_compared_says_whose_value_is_meant():
    """`compare thinking --set n_threads=2` needs no more."""
    _, touched = changed(profiles.load("fair"), ["n_threads=2"], [THINKING])
    assert touched == [THINKING]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("n_threads=2", "is a parameter of whisper and llama; write hearing.n_threads=2"),
        ("gone=2", "none of whisper, llama, kokoro has a parameter 'gone'"),
        ("thinking.n_thread=2", "did you mean 'n_threads'"),
        ("singing.n_threads=2", "no role or engine 'singing'"),
        ("by_sentence", "write it as name=value"),
        ("by_sentence=perhaps", "must be true or false"),
    ],
)
def test_what_cannot_be_meant_is_one_line(change, said, one_line):
    """The engines that have it, the nearest name, or what the value must be."""
    with pytest.raises(ParameterError) as caught:
        changed(profiles.load("fair"), [change])
    one_line(caught.value, said)
