"""A call file drafted from a recording, for its owner to correct."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import tomli_w

from voiceperf.audio import SPEECH_RATE_HZ, Samples, write_wav
from voiceperf.call import Message
from voiceperf.errors import InputError

_HEAD = """\
# Drafted by voiceperf. Listen to each chunk and correct its transcript: quality is judged against these words.
# The replies are what the agent would answer now; put in what yours says. Delete turns that are none.
# Then: pytest --call {folder}
"""


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
    """What a call has besides its turns."""

    name: str
    voice: str
    system_prompt: str
    greeting: str


def draft(
    header: Header,
    parts: Sequence[Samples],
    hear: Callable[[Samples], str],
    answer: Callable[[Sequence[Message]], str],
) -> Iterator[DraftedTurn]:
    """Every part heard and answered, in the conversation that comes of it; where nothing is heard there is no turn."""
    messages: list[Message] = [
        {"role": "system", "content": header.system_prompt},
        {"role": "assistant", "content": header.greeting},
    ]
    for audio in parts:
        transcript = hear(audio).strip()
        if not transcript:
            continue
        messages.append({"role": "user", "content": transcript})
        reply = answer(messages).strip()
        messages.append({"role": "assistant", "content": reply})
        yield DraftedTurn(audio, transcript, reply)


def require_new(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises:
        InputError: it does.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder}: is there already, and is left as it is; name a new folder")


def write(folder: Path, header: Header, turns: Sequence[DraftedTurn]) -> Path:
    """Write the chunks and the call file; the folder appears whole or not at all.

    Raises:
        InputError: the folder holds something, or there is no turn.
    """
    require_new(folder)
    if not turns:
        raise InputError("no words were heard in the recording: no call was written")
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    tables = []
    for number, turn in enumerate(turns, start=1):
        chunk = f"turn{number}.wav"
        write_wav(part / chunk, turn.audio, SPEECH_RATE_HZ)
        tables.append({"chunk": chunk, "transcript": turn.transcript, "reply": turn.reply})
    document = {
        "name": header.name,
        "voice": header.voice,
        "system_prompt": header.system_prompt,
        "greeting": header.greeting,
        "turn": tables,
    }
    text = _HEAD.format(folder=folder) + "\n" + tomli_w.dumps(document)
    (part / "call.toml").write_text(text, encoding="utf-8")
    if folder.exists():
        folder.rmdir()
    os.replace(part, folder)
    return folder / "call.toml"
