import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voiceperf.errors import InputError
from voiceperf.quality.corpus import read_conversations, read_manifest

FIXTURES = Path(__file__).parents[3] / "fixtures"
ENTRY = {"file": "a.wav", "text": "hello", "speaker": "s1", "kind": "word", "seconds": 1.0}


@pytest.fixture
def manifest(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(16000), 16000)
    path = tmp_path / "manifest.jsonl"
    path.write_text(json.dumps(ENTRY) + "\n")
    return path


def test_fixtures_hold_enough_short_speech():
    """At least 150 recordings are as short as a call's chunks, each with a transcript and a speaker."""
    short = [r for r in read_manifest(FIXTURES / "audio" / "manifest.jsonl") if 0.4 <= r.seconds <= 2.5]
    assert len(short) >= 150
    assert all(r.text and r.speaker for r in short)


def test_manifest_agrees_with_its_files():
    """A recording is as long as its line says."""
    for recording in read_manifest(FIXTURES / "audio" / "manifest.jsonl")[::20]:
        assert len(recording.audio()) / 16000 == pytest.approx(recording.seconds, abs=0.01)


@pytest.mark.parametrize("field", list(ENTRY))
def test_missing_field_is_named(manifest, field, one_line):
    """A line without a field is refused by file, line and field."""
    manifest.write_text(json.dumps({k: v for k, v in ENTRY.items() if k != field}))
    with pytest.raises(InputError) as caught:
        read_manifest(manifest)
    one_line(caught.value, "manifest.jsonl", "line 1", f"'{field}'")


@pytest.mark.parametrize("text", ["", "{", json.dumps({**ENTRY, "file": "gone.wav"})])
def test_broken_manifest_is_named(manifest, text, one_line):
    """Nothing in it, no JSON, or a recording that is gone: one line with the file."""
    manifest.write_text(text)
    with pytest.raises(InputError) as caught:
        read_manifest(manifest)
    one_line(caught.value, "manifest.jsonl")


def test_a_recording_that_is_listed_twice_is_named(manifest, one_line):
    """One file counts once: quality is told by its name."""
    manifest.write_text("\n".join([json.dumps(ENTRY)] * 2))
    with pytest.raises(InputError) as caught:
        read_manifest(manifest)
    one_line(caught.value, "manifest.jsonl", "line 2", "line 1")


def test_conversations_to_judge_are_not_those_to_choose_by():
    """Calibration and evaluation share no conversation."""
    path = FIXTURES / "text" / "conversations.toml"
    judging, choosing = ({c.as_text() for c in read_conversations(path, use)} for use in ("evaluation", "calibration"))
    assert judging
    assert choosing
    assert not judging & choosing


def test_file_without_conversations_is_named(tmp_path, one_line):
    """A TOML file of something else is refused by its path."""
    (tmp_path / "c.toml").write_text("a = 1")
    with pytest.raises(InputError) as caught:
        read_conversations(tmp_path / "c.toml")
    one_line(caught.value, r"c\.toml")
