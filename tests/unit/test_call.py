import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voiceperf import call
from voiceperf.errors import InputError

CALL61 = Path(__file__).parents[2] / "fixtures" / "calls" / "call61.toml"
WHOLE = """
name = "Test"
voice = "af_heart"
system_prompt = "Be brief."
greeting = "Hello."
[[turn]]
chunk = "a.wav"
transcript = "Hi."
reply = "How are you?"
"""


@pytest.fixture
def folder(tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 16000)
    (tmp_path / "call.toml").write_text(WHOLE)
    return tmp_path


def test_call61_has_the_samples_of_the_recorded_call():
    """The seven chunks have exactly the sample counts of the call that started it all."""
    recording = call.load(CALL61)
    assert [len(turn.audio) for turn in recording.turns] == [14720, 14080, 11520, 19840, 11520, 11520, 8000]


def test_the_call_that_comes_along_has_a_name(tmp_path, monkeypatch):
    """Wherever one stands; a file or folder of that name is the user's own."""
    monkeypatch.chdir(tmp_path)
    assert len(call.load(Path("call61")).turns) == 7
    (tmp_path / "call61").mkdir()
    with pytest.raises(InputError):
        call.load(Path("call61"))


def test_call61_chunks_hold_their_recordings_uncut():
    """Each chunk contains its source recording sample for sample."""
    sources = ("ast_d012", "ast_d057", "ast_d008", "ami_d001", "an4_d001", "an4_d016", "fsdd_d024")
    for turn, source in zip(call.load(CALL61).turns, sources, strict=True):
        wav = CALL61.parents[1] / "audio" / "flac" / f"{source}.flac"
        whole, chunk = (soundfile.read(path, dtype="int16")[0].tobytes() for path in (wav, turn.chunk))
        assert whole in chunk


@pytest.mark.parametrize("field", ["name", "voice", "system_prompt", "greeting", "chunk", "transcript", "reply"])
def test_missing_field_is_named_with_its_file(folder, field, one_line):
    """A call file without a field is refused by file and field."""
    lines = [line for line in WHOLE.splitlines() if not line.startswith(f"{field} =")]
    (folder / "call.toml").write_text("\n".join(lines))
    with pytest.raises(InputError) as caught:
        call.load(folder / "call.toml")
    one_line(caught.value, "call.toml", f"'{field}' is missing")


@pytest.mark.parametrize("text", ["", "name = ", "[[turn]]\nchunk = 3", "turn = 1"])
def test_file_that_is_no_call_is_named(folder, text, one_line):
    """Broken TOML, no turns, or a wrong type: one line with the file."""
    (folder / "call.toml").write_text(text)
    with pytest.raises(InputError) as caught:
        call.load(folder / "call.toml")
    one_line(caught.value, "call.toml")


def test_missing_chunk_is_named_with_its_turn(folder, one_line):
    """A chunk that is not there is refused by turn and path."""
    (folder / "a.wav").unlink()
    with pytest.raises(InputError) as caught:
        call.load(folder / "call.toml")
    one_line(caught.value, "turn 1", r"a\.wav")


def test_conversation_grows_turn_by_turn():
    """The messages of a turn are the prompt, the greeting, all earlier exchanges, and what was just said."""
    recording = call.load(CALL61)
    third = recording.messages(recording.turns[2])
    assert [message["role"] for message in third] == ["system", "assistant", *("user", "assistant") * 2, "user"]
    assert third[-1]["content"] == recording.turns[2].transcript


def test_a_folder_is_read_by_its_call_file(tmp_path):
    """A folder that holds a call.toml is a call; one without is named."""
    shutil.copytree(CALL61.parent, tmp_path / "mine")
    (tmp_path / "mine" / CALL61.name).rename(tmp_path / "mine" / "call.toml")
    assert call.load(tmp_path / "mine").digest() == call.load(CALL61).digest()
    with pytest.raises(InputError, match=r"call.toml: no such call file"):
        call.load(tmp_path)
