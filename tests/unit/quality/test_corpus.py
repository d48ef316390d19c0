import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voiceperf import places
from voiceperf.audio import read_speech
from voiceperf.errors import InputError
from voiceperf.lines import LINES
from voiceperf.quality.corpus import Corpus, read_conversations, read_manifest

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
    """A recording is as long as its entry says, before its line adds to it."""
    for recording in read_manifest(FIXTURES / "audio" / "manifest.jsonl")[::20]:
        assert len(read_speech(recording.path)) / 16000 == pytest.approx(recording.seconds, abs=0.01)


def test_no_speaker_both_chooses_and_judges():
    """A voice that a setting may be chosen by never judges it; both sides have enough voices, over every line."""
    recordings = read_manifest(FIXTURES / "audio" / "manifest.jsonl")
    sides = [[r for r in recordings if r.use == use] for use in ("calibration", "evaluation")]
    choosing, judging = ({r.speaker for r in side} for side in sides)
    assert not choosing & judging
    assert sum(map(len, sides)) == len(recordings)
    assert min(len(choosing), len(judging)) >= 30
    assert all(Counter(r.line for r in side).keys() == LINES.keys() for side in sides)


@pytest.mark.parametrize(("use", "names"), [("calibration", ["0", "2"]), ("evaluation", ["1", "2"])])
def test_a_corpus_holds_what_its_use_allows(manifest, use, names):
    """What is marked for the other use is left out; what is not marked serves both."""
    entries = []
    for number, marked in enumerate(({"use": "calibration"}, {"use": "evaluation"}, {})):
        (manifest.parent / f"{number}.wav").write_bytes(b"sound")
        entries.append(json.dumps(ENTRY | {"file": f"{number}.wav"} | marked))
    manifest.write_text("\n".join(entries))
    assert [name[0] for name in Corpus(manifest, manifest, use=use).recordings()] == names


def test_material_of_the_other_use_alone_is_named(manifest, tmp_path, one_line):
    """A manifest, and a file of conversations, with nothing for the use that is asked: one line with the remedy."""
    manifest.write_text(json.dumps(ENTRY | {"use": "evaluation"}))
    conversations = tmp_path / "c.toml"
    conversations.write_text(CHECKED.format(check="'x'"))
    corpus = Corpus(manifest, conversations, use="calibration")
    for read, file in ((corpus.recordings, "manifest.jsonl"), (corpus.scored, r"c\.toml")):
        with pytest.raises(InputError) as caught:
            read()
        one_line(caught.value, file, "calibration", "leave `use` out")


@pytest.mark.parametrize(("field", "value"), [("use", "both"), ("use", None), ("line", "wet string"), ("line", 3)])
def test_a_use_or_line_that_is_none_is_named(manifest, field, value, one_line):
    """A value that there is not: the file, its line, the field, and what there is."""
    manifest.write_text(json.dumps(ENTRY | {field: value}))
    with pytest.raises(InputError) as caught:
        read_manifest(manifest)
    one_line(caught.value, "manifest.jsonl", "line 1", f"'{field}'", "evaluation" if field == "use" else "phone")


@pytest.mark.parametrize("language", [3, "German", "d", "e n"])
def test_a_language_that_is_no_code_is_named(manifest, language, one_line):
    """Whisper and the metric would both take it for something else."""
    manifest.write_text(json.dumps(ENTRY | {"language": language}))
    with pytest.raises(InputError) as caught:
        read_manifest(manifest)
    one_line(caught.value, "manifest.jsonl", "line 1", "'language'", "en-us")


@pytest.mark.parametrize("use", ["evalution", ""])
def test_a_conversation_of_an_unknown_use_is_named(tmp_path, use, one_line):
    """A misspelt or empty use is refused, and its conversation not silently left out."""
    (tmp_path / "c.toml").write_text(CHECKED.format(check="'x'").replace("evaluation", use))
    with pytest.raises(InputError) as caught:
        read_conversations(tmp_path / "c.toml")
    one_line(caught.value, r"c\.toml", f"use = '{use}'", "evaluation")


def test_a_recording_is_heard_over_its_line(manifest, tmp_path):
    """The same recording over the same line is the same sound each time, and another one than in the studio."""
    soundfile.write(tmp_path / "a.wav", np.sin(np.arange(16000) / 5) / 2, 16000)
    manifest.write_text(json.dumps(ENTRY | {"line": "noise"}))
    first, again = (read_manifest(manifest)[0].audio() for _ in range(2))
    assert np.array_equal(first, again)
    assert not np.allclose(first, read_speech(tmp_path / "a.wav"), atol=0.01)


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


def test_a_recording_may_be_elsewhere(manifest, tmp_path):
    """A manifest that names its recordings by their whole path, in another folder, is read like any other."""
    there = tmp_path / "there"
    there.mkdir()
    (there / "a.wav").write_bytes(b"sound")
    manifest.write_text(json.dumps(ENTRY | {"file": str(there / "a.wav"), "seconds": 1.2}))
    corpus = Corpus(manifest, manifest)
    (name,) = corpus.recordings()
    assert (manifest.parent / name).resolve() == (there / "a.wav").resolve()


@pytest.mark.parametrize(("is_own", "any_length", "count"), [(False, False, 1), (False, True, 3), (True, False, 3)])
def test_what_nobody_says_in_one_go_is_left_out(manifest, monkeypatch, is_own, any_length, count):
    """Very short and very long recordings that came along are for those who ask for them; one's own are all heard."""
    if not is_own:
        monkeypatch.setattr(places, "MANIFEST", manifest)
    entries = []
    for number, seconds in enumerate((0.2, 2.0, 30.0)):
        (manifest.parent / f"{number}.wav").write_bytes(b"sound")
        entries.append(json.dumps(ENTRY | {"file": f"{number}.wav", "seconds": seconds}))
    manifest.write_text("\n".join(entries))
    assert len(Corpus(manifest, manifest).recordings(any_length=any_length)) == count


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


CHECKED = """
[[conversation]]
use = "evaluation"
system = "s"
turns = [
  ["Book it.", "It is booked.", {check}],
  ["Thanks.", "Goodbye."],
]
"""


def with_check(folder, check):
    (folder / "c.toml").write_text(CHECKED.format(check=check))
    (folder / "checks.py").write_text("def booked(answer):\n    return answer.index('booked') >= 0\nnumber = 3\n")
    return read_conversations(folder / "c.toml")


def test_a_check_is_a_regular_expression(tmp_path):
    """It is searched in the answer, whatever its case; a turn without one passes nothing."""
    (conversation,) = with_check(tmp_path, r"'booked\b'")
    assert conversation.passes(0, "Your table is BOOKED.") is True
    assert conversation.passes(0, "bookedness") is False
    assert conversation.passes(1, "booked") is None


def test_a_check_is_a_function_beside_the_conversations(tmp_path, one_line):
    """It gets the answer; one that fails is one line with its name."""
    (conversation,) = with_check(tmp_path, '{call = "checks.py:booked"}')
    assert conversation.passes(0, "it is booked") is True
    with pytest.raises(InputError) as caught:
        conversation.passes(0, "no")
    one_line(caught.value, r"c\.toml", "checks.py:booked", "failed on 'no'")


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("'('", "no regular expression"),
        ("3", "must be a regular expression"),
        ("{call = 3}", "must be a regular expression"),
        ('{call = "gone.py:booked"}', "gone.py does not exist"),
        ('{call = "checks.py:nobody"}', "no function 'nobody'"),
        ('{call = "checks.py:number"}', "no function 'number'"),
        ('{call = "c.toml:booked"}', "cannot be run"),
    ],
)
def test_a_check_that_is_none_is_named(tmp_path, check, said, one_line):
    """The file, the check and what is wrong with it, before anything is measured."""
    with pytest.raises(InputError) as caught:
        with_check(tmp_path, check)
    one_line(caught.value, r"c\.toml", said)


def test_what_is_asked_at_a_turn_is_all_before_it(tmp_path):
    """The system prompt, the turns so far as they are written, and the caller's words."""
    (conversation,) = with_check(tmp_path, "'x'")
    asked = [(message["role"], message["content"]) for message in conversation.messages(1)]
    assert asked == [("system", "s"), ("user", "Book it."), ("assistant", "It is booked."), ("user", "Thanks.")]
