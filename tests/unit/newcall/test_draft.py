"""A drafted call: what is written, and that nothing is lost."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from voiceperf import call as calls
from voiceperf.errors import InputError
from voiceperf.files import shown
from voiceperf.newcall.draft import DraftedTurn, Header, draft, require_new, write

HEADER = Header("bakery", "af_heart", "You sell bread.", "Hello!")
SOUND = (0.1 * np.sin(np.arange(16_000) / 20)).astype(np.float32)
TURNS = [DraftedTurn(SOUND, "Two rolls, please", "That is one euro."), DraftedTurn(SOUND[:8000], "Bye", "Goodbye!")]


def test_what_is_written_can_be_replayed(tmp_path):
    """The call file reads back as the turns that were drafted."""
    call = calls.load(write(tmp_path / "mine", HEADER, TURNS))
    assert [(turn.transcript, turn.reply, len(turn.audio)) for turn in call.turns] == [
        ("Two rolls, please", "That is one euro.", 16_000),
        ("Bye", "Goodbye!", 8000),
    ]
    assert (call.name, call.greeting) == ("bakery", "Hello!")


def test_a_folder_that_holds_something_is_left_alone(tmp_path):
    """No draft overwrites anything."""
    (tmp_path / "call.toml").write_text("mine")
    with pytest.raises(InputError, match="left as it is"):
        write(tmp_path, HEADER, TURNS)
    assert (tmp_path / "call.toml").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["call.toml"]


def test_without_a_word_nothing_is_written(tmp_path):
    """A recording in which nothing was heard makes no folder."""
    with pytest.raises(InputError, match="no words"):
        write(tmp_path / "mine", HEADER, [])
    assert not (tmp_path / "mine").exists()


def test_each_turn_is_answered_in_the_conversation_so_far():
    """The agent is asked with everything that was said before; a part without words is no turn."""
    asked = []

    def answer(messages):
        asked.append([message["content"] for message in messages])
        return f" reply {len(asked)} "

    heard = iter([" one ", "  ", "two"])
    turns = list(draft(HEADER, [SOUND] * 3, lambda audio: next(heard), answer))
    assert [(turn.transcript, turn.reply) for turn in turns] == [("one", "reply 1"), ("two", "reply 2")]
    assert asked[1] == ["You sell bread.", "Hello!", "one", "reply 1", "two"]


def test_a_call_that_could_not_be_replayed_is_not_written(tmp_path):
    """What the suite would refuse leaves no folder, and no part of one."""
    with pytest.raises(InputError):
        write(tmp_path / "mine", HEADER, [DraftedTurn(SOUND, "Two rolls, please", "")])
    assert list(tmp_path.iterdir()) == []


def test_a_model_without_an_answer_leaves_some_words_to_correct():
    """A reply must be spoken, so that none is empty."""
    (turn,) = draft(HEADER, [SOUND], lambda audio: "one", lambda messages: "  ")
    assert turn.reply


@pytest.mark.parametrize("empty", ["system_prompt", "greeting", "voice"])
def test_an_empty_part_of_the_header_is_named(empty):
    """Before minutes of listening, not after."""
    with pytest.raises(InputError, match=empty):
        replace(HEADER, **{empty: " "})


def test_a_folder_without_a_name_is_refused():
    """The folder one stands in is not taken for the call's."""
    with pytest.raises(InputError, match="name a new one"):
        require_new(Path("."))


def test_a_recording_and_a_folder_of_odd_names_lose_no_draft(tmp_path):
    """A byte that is no text in a recording's name is escaped, and a link to an empty folder is followed."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "empty")
    header = Header(shown("caf\udce9"), "af_heart", "Be brief.", "Hello.")
    path = write(tmp_path / "link", header, TURNS)
    assert calls.load(path).name == "caf\\udce9"
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize("name", ["a\nb", "a\x07b"])
def test_a_folder_with_a_control_character_is_refused(tmp_path, name, one_line):
    """Before anything is heard."""
    with pytest.raises(InputError) as caught:
        require_new(tmp_path / name)
    one_line(caught.value, "folder of its own")


def test_what_the_agent_said_is_its_reply():
    """Where it said nothing the model answers, in the conversation that comes of it."""
    asked = []

    def answer(messages):
        asked.append([message["content"] for message in messages])
        return "drafted"

    turns = list(draft(HEADER, [SOUND] * 2, lambda audio: "words", answer, ["recorded", " "]))
    assert [turn.reply for turn in turns] == ["recorded", "drafted"]
    assert asked == [["You sell bread.", "Hello!", "words", "recorded", "words"]]


def test_what_was_replied_to_a_cough_belongs_to_the_words_before():
    """The part without words is no turn, and nothing that the agent said is lost or made up."""
    heard = iter(["I need a taxi.", " ", "Home."])
    turns = list(
        draft(HEADER, [SOUND] * 3, lambda audio: next(heard), lambda messages: "drafted", ["", "Where to?", ""])
    )
    assert [(turn.transcript, turn.reply) for turn in turns] == [("I need a taxi.", "Where to?"), ("Home.", "drafted")]
