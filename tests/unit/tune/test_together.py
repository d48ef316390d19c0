"""Tuning whole turns on made-up times: what surely helps is kept, and nothing that could change a result is touched."""

from dataclasses import replace

import pytest

from voiceperf.engines.kokoro import KokoroParams
from voiceperf.engines.llama import LlamaParams
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.profiles import Profile, Setting
from voiceperf.tune.space import Space
from voiceperf.tune.together import neutral_changes, tune_together

PROFILE = Profile("now", "", {"llama": Setting({"n_threads": 2}), "kokoro": Setting({"spinning": True})})
SPACES = {
    "llama": Space(LlamaParams(n_threads=2), {"n_threads": (2, 1), "flash_attn": (False, True)}, {}),
    "kokoro": Space(KokoroParams(), {"spinning": (True, False)}, {}),
}


@pytest.fixture
def turns(made_up_bout):
    """Whole turns that take 10% less without spinning, and 30% more with one thread."""

    def seconds(profile):
        spinning = 1.0 if profile["kokoro"].values["spinning"] else 0.9
        return spinning * {1: 1.3, 2: 1.0}[profile["llama"].values["n_threads"]]

    class MadeUpStage:
        def __init__(self, profile):
            self.profile = profile

        def bout(self, engine, other):
            return made_up_bout((seconds(self.profile), seconds(other)), noise=0.005, seed=3)

        def adopt(self, engine, profile):
            self.profile = self.profile.having(engine, profile[engine])

    def tune(profile, load=lambda profile: Finding(Verdict.PASS, "")):
        return tune_together(MadeUpStage(profile), profile, neutral_changes(profile, SPACES), load)

    return tune


def test_what_surely_helps_the_turn_is_kept(turns):
    """One change after the other: the one that helps stays, the one that does not is undone."""
    profile, tried = turns(PROFILE)
    assert profile["kokoro"].values == {"spinning": False}
    assert profile["llama"] == PROFILE["llama"]
    assert [(change.name, change.kept) for change in tried] == [("spinning", True), ("n_threads", False)]


def test_what_helps_a_caller_who_is_alone_and_breaks_under_load_is_not_kept(turns):
    """Threads that wait without end serve one caller sooner, and hold every other engine up once all are busy."""

    def load(profile):
        return Finding(Verdict.FAIL if not profile["kokoro"].values["spinning"] else Verdict.PASS, "p95 runaway")

    profile, tried = turns(PROFILE, load)
    assert profile["kokoro"] == PROFILE["kokoro"]
    assert tried[0].ratio.high < 1
    assert not tried[0].kept


def test_only_neutral_parameters_are_touched(turns):
    """Quality was judged before: nothing that could change a result is tried here."""
    _, tried = turns(PROFILE)
    assert "flash_attn" not in {change.name for change in tried}


def test_the_same_profile_again_is_not_raced(turns):
    """A value that the profile has already is no change."""
    settled = replace(PROFILE, engines={**PROFILE.engines, "kokoro": Setting({"spinning": False})})
    _, tried = turns(settled)
    assert ("spinning", False) not in [(change.name, change.value) for change in tried]


def test_what_no_engine_could_try_alone_comes_first_and_threads_last():
    """The budget may end before the last change."""
    spaces = {**SPACES, "llama": replace(SPACES["llama"], beside={"nice": (0, 10)})}
    assert [name for _, name, _ in neutral_changes(PROFILE, spaces)] == ["nice", "spinning", "n_threads"]
