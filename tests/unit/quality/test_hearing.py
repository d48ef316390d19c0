from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from voiceperf.errors import WorkerError
from voiceperf.judge.text import Heard
from voiceperf.quality.corpus import Recording
from voiceperf.quality.hearing import as_written, recitals, scores_of


def recording(number, text):
    return Recording(Path(f"{number}.wav"), text, "speaker", "sentence", 1.0)


def test_a_right_transcript_is_what_was_said():
    """What differs from the reference only in how it is written is taken as the engine writes it."""
    one = recording(1, "you can call me abbie")
    assert as_written([one], ["You can call me Abbie."], "") == {one: "You can call me Abbie."}


def test_a_wrong_transcript_gives_way_to_the_reference():
    """Written like a sentence, so that capitals and full stops are not what is scored."""
    one, two = recording(1, "call me back"), recording(2, "Really?")
    assert list(as_written([one, two], ["Column me back.", ""], "").values()) == ["Call me back.", "Really?"]


def test_a_recording_is_judged_in_its_own_language():
    """Its own counts for more than what the engine expects, and English is what both are without one."""
    german = replace(recording(1, "Er zahlt eins"), language="de")
    assert scores_of([german], ["er zahlt 1"], "en")[0].errors == 1
    assert scores_of([recording(1, "he pays one")], ["He pays 1."], "")[0].errors == 0
    assert scores_of([recording(1, "元気ですか")], ["元気ですよ"], "ja") == [Heard(1, 5, empty=False, loop=False)]


def test_of_many_recordings_some_are_enough():
    """At most about twice as many as it takes, spread over all of them."""
    many = [recording(number, "word") for number in range(220)]
    assert list(as_written(many, ["word"] * 220, "")) == many[::2]
    assert len(as_written(many[:55], ["word"] * 55, "")) == 55


def test_a_voiceperf_of_before_does_not_know_the_question(monkeypatch):
    """Its worker dies of it, which says nothing of how it hears; any other death is an error."""
    monkeypatch.setattr(Recording, "audio", lambda self: np.zeros(9, np.float32))
    asked = {recording(1, "word"): "Word."}
    reasons = ["ended with exit code 1; it last wrote: AttributeError: Can't get attribute 'Recital' on ...", "SIGSEGV"]

    def ask(request):
        raise WorkerError(reasons.pop(0))

    assert recitals(SimpleNamespace(ask=ask), asked) is None
    with pytest.raises(WorkerError):
        recitals(SimpleNamespace(ask=ask), asked)
