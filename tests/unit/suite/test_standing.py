"""The profile in force on this machine: kept, used, and left again."""

import pytest

from voiceperf import profiles
from voiceperf.profiles import Profile, Setting
from voiceperf.suite import standing

FACTS = {"id": "i", "libraries": {"a": "1.0", "b": None}, "models_sha256": {"m": "0123456789abcdef"}}
FOUND = Profile("mine", "what holds", {"whisper": Setting({"n_threads": 2, "audio_ctx": 512}, {"OMP_X": "1"})})


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    """A machine with nothing found yet, whose libraries and models the test may change."""
    facts = {**FACTS}
    monkeypatch.setenv("VOICEPERF_DATA", str(tmp_path))
    monkeypatch.setattr(standing, "fingerprint", lambda contenders: facts)
    return facts


def test_the_shipped_profile_is_in_force_at_first():
    """Without a profile of its own a machine uses the shipped default, and nothing held before."""
    profile, remark = standing.in_force()
    assert (profile.name, remark) == (profiles.DEFAULT, "")
    assert standing.last_good() is None


def test_what_is_kept_is_in_force():
    """A kept profile comes back with every value and environment variable, and with what was found of it."""
    standing.keep(FOUND, {"retreats": ["one"]})
    profile, remark = standing.in_force()
    assert profile.engines == FOUND.engines
    assert profile.origin["retreats"] == ["one"]
    assert profile.origin["from"] == "mine"
    assert remark == ""
    assert standing.last_good() == profile


@pytest.mark.parametrize(
    ("part", "now", "words"),
    [
        ("libraries", {"a": "1.1"}, "a was 1.0 and is 1.1"),
        ("libraries", {}, "a was 1.0 and is missing"),
        ("models_sha256", {"m": "fedcba9876543210"}, "m was 0123456789ab and is fedcba987654"),
    ],
)
def test_it_is_not_used_where_libraries_or_models_changed(machine, one_line, part, now, words):
    """Found on other libraries or weights, it is refused with what changed and what to run, and is no last good one."""
    standing.keep(FOUND, {})
    machine[part] = now
    profile, remark = standing.in_force()
    assert profile.name == profiles.DEFAULT
    one_line(remark, words, "run: voiceperf settle")
    assert standing.last_good() is None


def test_it_is_not_used_where_a_parameter_is_gone(machine, monkeypatch, one_line):
    """A profile that this version cannot read any more is left with the reason, instead of stopping every command."""
    kept = standing.keep(FOUND, {})
    kept.write_text(kept.read_text().replace("audio_ctx", "audio_frames"))
    monkeypatch.setattr(standing, "fingerprint", lambda contenders: list(contenders) and machine)
    profile, remark = standing.in_force()
    assert profile.name == profiles.DEFAULT
    one_line(remark, "audio_frames", "run: voiceperf settle")


def test_leaving_returns_to_the_shipped_profile():
    """A machine's own profile can be dropped, once."""
    standing.keep(FOUND, {})
    assert standing.leave() is True
    assert standing.leave() is False
    assert standing.in_force()[0].name == profiles.DEFAULT


def test_a_failed_write_leaves_the_old_profile_whole(monkeypatch):
    """Where the new profile cannot be written, the one in force stays, and no part of a file is left."""
    kept = standing.keep(FOUND, {})
    before = kept.read_text()
    with pytest.raises(TypeError):
        standing.keep(FOUND, {"bad": object()})
    assert kept.read_text() == before
    assert list(kept.parent.iterdir()) == [kept]
