"""A call file drafted from a recording, for its owner to correct."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tomli_w

from voiceperf import call as calls
from voiceperf.audio import SPEECH_RATE_HZ, Samples, write_wav
from voiceperf.conversation import Message
from voiceperf.errors import InputError
from voiceperf.files import require_writable, shown, write_text

_HEAD = """\
# Drafted by voiceperf. Listen to each chunk and correct its transcript: quality is judged against these words.
# The replies are what the agent would answer now; put in what yours says. Delete turns that are none.
# Then: pytest --voiceperf-call={folder}
"""
_NO_REPLY = "Pardon?"  # where the model had nothing to say; a call must have some words to speak


@dataclass(frozen=True)
class DraftedTurn:
    """One exchange: the caller's sound, and the words as the engines take them."""

    audio: Samples
    transcript: str
    reply: str

    @property
    def seconds(self) -> float:
        return len(self.audio) / SPEECH_RATE_HZ


@dataclass(frozen=True)
class Header:
    """What a call has besides its turns.

    Raises:
        InputError: a part of it is empty.
    """

    name: str
    voice: str
    system_prompt: str
    greeting: str

    def __post_init__(self) -> None:
        for what, words in vars(self).items():
            if not words.strip():
                raise InputError(f"the call's {what} is empty; give it some words")


def draft(
    header: Header,
    parts: Sequence[Samples],
    hear: Callable[[Samples], str],
    answer: Callable[[Sequence[Message]], str],
    said: Sequence[str] = (),
) -> Iterator[DraftedTurn]:
    """Every part heard and answered, in the conversation that comes of it; where nothing is heard there is no turn.

    Args:
        header: of the call.
        parts: what the caller said, mono float32 at 16 kHz, shape (n,) each.
        hear: transcribes one.
        answer: the model's reply to a conversation.
        said: what the agent replied to each part, where that is known; the model answers where it said nothing.
    """
    messages: list[Message] = [
        {"role": "system", "content": header.system_prompt},
        {"role": "assistant", "content": header.greeting},
    ]
    for audio, transcript, recorded in _with_words(parts, hear, said):
        messages.append({"role": "user", "content": transcript})
        reply = recorded or answer(messages).strip() or _NO_REPLY
        messages.append({"role": "assistant", "content": reply})
        yield DraftedTurn(audio, transcript, reply)


def _with_words(
    parts: Sequence[Samples], hear: Callable[[Samples], str], said: Sequence[str]
) -> list[tuple[Samples, str, str]]:
    """The parts with words, these, and the reply; what was replied to a cough belongs to the words before."""
    found: list[tuple[Samples, str, str]] = []
    for number, audio in enumerate(parts):
        transcript, recorded = hear(audio).strip(), said[number].strip() if number < len(said) else ""
        if transcript:
            found.append((audio, transcript, recorded))
        elif found and recorded:
            words, spoken, before = found[-1]
            found[-1] = (words, spoken, f"{before} {recorded}".strip())
    return found


def require_new(folder: Path) -> None:
    """Refuse a folder that holds anything, or has no name of its own.

    Raises:
        InputError: it does, or has none.
    """
    if not folder.name or not shown(folder).isprintable():
        raise InputError(f"{shown(folder)!r}: a call is written into a folder of its own; name a new one")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there already, and is left as it is; name a new folder")
    if not folder.exists():
        require_writable(folder)


def write(folder: Path, header: Header, turns: Sequence[DraftedTurn]) -> Path:
    """Write the chunks and the call file; the folder appears whole or not at all.

    Raises:
        InputError: the folder holds something, or there is no turn.
    """
    require_new(folder)
    folder = folder.resolve() if folder.is_symlink() else folder
    if not turns:
        raise InputError("no words were heard in the recording: no call was written")
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _write_into(part, _HEAD.format(folder=shown(folder)), header, turns)
        calls.load(part)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    if folder.exists():
        folder.rmdir()
    os.replace(part, folder)
    return folder / calls.FILE


def _write_into(folder: Path, head: str, header: Header, turns: Sequence[DraftedTurn]) -> None:
    tables = []
    for number, turn in enumerate(turns, start=1):
        chunk = f"turn{number}.wav"
        write_wav(folder / chunk, turn.audio, SPEECH_RATE_HZ)
        tables.append({"chunk": chunk, "transcript": turn.transcript, "reply": turn.reply})
    text = head + "\n" + tomli_w.dumps({**asdict(header), "turn": tables})
    write_text(folder / calls.FILE, text)
