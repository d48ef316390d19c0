"""Stepping back: which settings are tried in which order, and when it ends."""

from dataclasses import replace

import pytest

from voiceperf import profiles
from voiceperf.errors import EngineError
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.contender import of_profile
from voiceperf.profiles import Profile, Setting
from voiceperf.roles import ROLES
from voiceperf.suite import settle as settling
from voiceperf.suite.settle import Settlement

FAIR = profiles.load("fair")
TRIAL = Profile(
    "trial",
    "",
    {
        "whisper": Setting({"audio_ctx": 256, "n_threads": 4}),
        "llama": Setting({"n_threads": 4, "n_threads_batch": 2}),
        "kokoro": Setting({"by_sentence": True, "intra_op_threads": 1}),
    },
)
WORSE, ALIKE = Finding(Verdict.FAIL, "worse"), Finding(Verdict.PASS, "no worse")


class OnPaper(Settlement):
    """A settlement whose engines hold as soon as a rule of the test says so."""

    def __init__(self, hears=lambda setting: True, bears=lambda profile: True):
        super().__init__(None, None, FAIR)
        self._hears, self._bears, self.tried = hears, bears, []

    def _quality(self, profile, role):
        self.tried.append((role, dict(profile[role].values)))
        good = role != "hearing" or self._hears(profile[role])
        return ALIKE if good else WORSE

    def _load(self, profile):
        return ALIKE if self._bears(profile) else WORSE


def test_a_profile_that_holds_is_left_as_it_is():
    """Nothing is changed where nothing fails, and each engine is judged once."""
    paper = OnPaper()
    settled = paper.settle(TRIAL, print)
    assert settled.profile == TRIAL
    assert settled.retreats == ()
    assert [role for role, _ in paper.tried] == list(ROLES)


def test_the_context_grows_until_quality_holds():
    """A context that hears worse gives way to a longer one, and every other value stays."""
    settled = OnPaper(hears=lambda setting: setting.values["audio_ctx"] == 0).settle(TRIAL, print)
    assert settled.profile["whisper"].values == {"audio_ctx": 0, "retry_ctx": 0, "n_threads": 4}
    assert [retreat.changes for retreat in settled.retreats] == [{"audio_ctx": 1024, "retry_ctx": 0}, {"audio_ctx": 0}]
    assert str(settled.retreats[0]) == "hearing steps back to audio_ctx = 1024, retry_ctx = 0: worse"
    assert settled.profile["llama"] == TRIAL["llama"]


def test_what_held_before_is_tried_first():
    """A setting that held on this machine comes before any other step back."""
    good = replace(TRIAL, engines={**TRIAL.engines, "whisper": Setting({"audio_ctx": 512})})
    settled = OnPaper(hears=lambda setting: setting == good["whisper"]).settle(TRIAL, print, good)
    assert settled.profile["whisper"] == good["whisper"]
    assert len(settled.retreats) == 1


def test_the_baseline_is_the_last_resort():
    """Where no step of the engine's own helps, it takes the baseline's setting, whole."""
    settled = OnPaper(hears=lambda setting: setting == FAIR["whisper"]).settle(TRIAL, print)
    assert settled.profile["whisper"] == FAIR["whisper"]


def test_a_baseline_that_fails_itself_is_an_error(one_line):
    """Where even the baseline's setting fails there is nothing to step back to, and the error says so."""
    with pytest.raises(EngineError) as caught:
        OnPaper(hears=lambda setting: False).settle(TRIAL, print)
    one_line(caught.value, "hearing fails even as profile 'fair' has it", "worse")


def test_threads_are_halved_until_load_is_borne():
    """Every engine with several threads gives half of them up at a time."""
    settled = OnPaper(bears=lambda profile: profile["whisper"].values["n_threads"] == 1).settle(TRIAL, print)
    assert settled.profile["whisper"].values["n_threads"] == 1
    assert settled.profile["llama"].values == {"n_threads": 1, "n_threads_batch": 1}
    assert settled.profile["kokoro"] == TRIAL["kokoro"]
    assert [(retreat.role, dict(retreat.changes)) for retreat in settled.retreats] == [
        ("hearing", {"n_threads": 2}),
        ("thinking", {"n_threads": 2, "n_threads_batch": 1}),
        ("hearing", {"n_threads": 1}),
        ("thinking", {"n_threads": 1}),
    ]


def test_load_that_nothing_helps_ends_with_one_thread_each():
    """With nothing left to give up, the profile stands as it is and the finding tells."""
    settled = OnPaper(bears=lambda profile: False).settle(TRIAL, print)
    assert settled.load == WORSE
    assert settled.profile["whisper"].values["n_threads"] == 1


@pytest.mark.parametrize("name", profiles.shipped())
def test_every_step_back_is_a_setting_that_the_engine_takes(name):
    """No step from a shipped profile breaks a rule of its engine, and none is the setting itself."""
    profile = profiles.load(name)
    for role in ROLES:
        for step in settling._steps_back(profile, role):
            of_profile(profile.having(role, step), role)
            assert step != profile[role]
