"""What is kept of a quality judgement for people."""

from pathlib import Path

import numpy as np

from voiceperf.engines.base import Speech
from voiceperf.quality.corpus import Recording
from voiceperf.quality.examples import Examples


def recording(text):
    return Recording(Path("a.wav"), text, "ann", "word", 1.0)


def speech(level):
    return Speech(np.full(10, level, np.float32), 24_000, 10 / 24_000, 10 / 24_000)


def test_profiles_stand_beside_each_other_and_the_reference():
    """Of each recording the words that were said, and what each profile heard."""
    examples = Examples()
    for profile, transcript in (("fair", "yes"), ("shipped", "yet")):
        examples.heard(profile, {"a.wav": recording("Yes.")}, [transcript])
    assert examples.texts["hearing"]["a.wav"] == {
        "reference": "Yes.",
        "kind": "word",
        "line": "clean",
        "by_profile": {"fair": {"text": "yes"}, "shipped": {"text": "yet"}},
    }


def test_equal_sounds_are_kept_once():
    """Profiles that sound alike to the last sample share a sound."""
    examples = Examples()
    for profile, level in (("seed", 0.1), ("fair", 0.1), ("shipped", 0.2)):
        examples.spoken(profile, "turn 1", "Hello.", speech(level), "hello")
    assert len(examples.sounds) == 2
    said = examples.texts["speaking"]["turn 1"]["by_profile"]
    assert said["seed"]["sound"] == said["fair"]["sound"] != said["shipped"]["sound"]


def test_a_profile_that_differs_in_threads_alone_is_told_by_the_other():
    """Whoever was not asked, because it hears alike, is there all the same."""
    examples = Examples()
    examples.heard("seed", {"a.wav": recording("Yes.")}, ["yes"])
    examples.alike("hearing", "seed", "fair")
    assert examples.texts["hearing"]["a.wav"]["by_profile"]["fair"] == {"text": "yes"}
