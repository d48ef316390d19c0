"""Tuning whole turns on made-up times: what surely helps is kept, and nothing that could change a result is touched."""

from dataclasses import replace

import pytest

from voiceperf.engines.kokoro import KokoroParams
from voiceperf.engines.llama import LlamaParams
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.profiles import Profile, Setting
from voiceperf.tune.space import Space
from voiceperf.tune.together import tune_together, turn_changes

PROFILE = Profile("now", "", {"llama": Setting({"n_threads": 2}), "kokoro": Setting({"spinning": True})})
SPACES = {
    "llama": Space(LlamaParams(n_threads=2), {"n_threads": (2, 1), "flash_attn": (False, True)}, {}),
    "kokoro": Space(KokoroParams(), {"spinning": (True, False)}, {}),
}
OVERLAPS = {"kokoro": Space(KokoroParams(), {"by_sentence": (False, True), "vnni_kernels": (False, True)}, {})}
HOLDS = Finding(Verdict.PASS, "")


@pytest.fixture
def turns(made_up_launch):
    """Whole turns that take 10% less without spinning, half by sentence, and 30% more with one thread."""

    def seconds(profile):
        kokoro = KokoroParams.parse(profile["kokoro"].values)
        spinning = (1.0 if kokoro.spinning else 0.9) * (0.5 if kokoro.by_sentence else 1.0)
        return spinning * {1: 1.3, 2: 1.0}[profile["llama"].values["n_threads"]]

    class MadeUpStage:
        def __init__(self, profile):
            self.profile = profile

        def launch(self, engine, other):
            return made_up_launch((seconds(self.profile), seconds(other)), noise=0.005, seed=3)

        def adopt(self, engine, profile):
            self.profile = self.profile.having(engine, profile[engine])

    def tune(profile, load=lambda profile: HOLDS, spaces=SPACES, quality=lambda profile, engine: HOLDS):
        return tune_together(MadeUpStage(profile), profile, turn_changes(profile, spaces), quality, load)

    return tune


def test_what_surely_helps_the_turn_is_kept(turns):
    """One change after the other: the one that helps stays, the one that does not is undone."""
    profile, tried = turns(PROFILE)
    assert profile["kokoro"].values == {"spinning": False}
    assert profile["llama"] == PROFILE["llama"]
    assert [(change.name, change.refusal) for change in tried] == [
        ("spinning", ""),
        ("n_threads", "not surely shorter"),
    ]


def test_what_helps_a_caller_who_is_alone_and_breaks_under_load_is_not_kept(turns):
    """Threads that wait without end serve one caller sooner, and hold every other engine up once all are busy."""

    def load(profile):
        return Finding(Verdict.FAIL if not profile["kokoro"].values["spinning"] else Verdict.PASS, "p95 runaway")

    profile, tried = turns(PROFILE, load)
    assert profile["kokoro"] == PROFILE["kokoro"]
    assert tried[0].ratio.high < 1
    assert tried[0].refusal == "under load: p95 runaway"


def test_what_changes_a_result_is_touched_only_where_it_decides_what_overlaps(turns):
    """Quality was judged before, on each engine alone; whole turns alone show what speaking during writing buys."""
    _, tried = turns(PROFILE)
    assert "flash_attn" not in {change.name for change in tried}
    profile, tried = turns(PROFILE, spaces=OVERLAPS)
    assert [(change.name, change.value, change.kept) for change in tried] == [("by_sentence", True, True)]
    assert profile["kokoro"].values["by_sentence"]


def test_what_overlaps_is_kept_only_with_its_quality(turns):
    """Speech that starts sooner and sounds worse is not kept, however much sooner; what is slower is not judged."""
    judged = []

    def quality(profile, engine):
        judged.append((engine, profile[engine].values.get("by_sentence")))
        return Finding(Verdict.FAIL, "log-mel 3 dB")

    profile, tried = turns(PROFILE, spaces=OVERLAPS, quality=quality)
    assert profile == PROFILE
    assert [(change.ratio.high < 1, change.refusal) for change in tried] == [(True, "quality: log-mel 3 dB")]
    assert judged == [("kokoro", True)]
    by_sentence = PROFILE.having("kokoro", Setting({"spinning": True, "by_sentence": True}))
    turns(by_sentence, spaces=OVERLAPS, quality=quality)
    assert len(judged) == 1


def test_the_same_profile_again_is_not_raced(turns):
    """A value that the profile has already is no change."""
    settled = replace(PROFILE, engines={**PROFILE.engines, "kokoro": Setting({"spinning": False})})
    _, tried = turns(settled)
    assert ("spinning", False) not in [(change.name, change.value) for change in tried]


def test_what_no_engine_could_show_alone_comes_first_and_threads_last():
    """The budget may end before the last change; which stages overlap decides most."""
    llama = replace(SPACES["llama"], beside={"nice": (0, 10)})
    kokoro = replace(SPACES["kokoro"], values={**SPACES["kokoro"].values, **OVERLAPS["kokoro"].values})
    changes = turn_changes(PROFILE, {"llama": llama, "kokoro": kokoro})
    assert [name for _, name, _ in changes] == ["by_sentence", "nice", "spinning", "n_threads"]
