"""A recorded call: what the caller said, turn by turn, and what the agent answers. Read from a TOML file.

The format is documented in docs/CALL_FORMAT.md; `fixtures/calls/call61.toml` is a whole example.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

from voiceperf import places
from voiceperf.audio import Samples, read_speech
from voiceperf.conversation import Message
from voiceperf.errors import InputError
from voiceperf.files import read_toml, shown

FILE = "call.toml"  # what the file of a call's folder is called
_WHOLE: Mapping[int, str] = MappingProxyType({})


@dataclass(frozen=True)
class Turn:
    """One exchange: the caller's chunk with its transcript, and the agent's reply."""

    number: int
    chunk: Path
    transcript: str
    reply: str

    @cached_property
    def audio(self) -> Samples:
        """The chunk as mono float32 at 16 kHz, read once."""
        return read_speech(self.chunk)

    def saying(self, audio: Samples) -> Turn:
        """The same turn in which the caller says something else, or is heard otherwise."""
        other = replace(self)
        other.__dict__["audio"] = audio  # where the property keeps what it has read
        return other


@dataclass(frozen=True)
class CallRecording:
    """A call to replay."""

    name: str
    system_prompt: str
    greeting: str
    voice: str
    turns: tuple[Turn, ...]

    def digest(self) -> str:
        """Of every turn's sound and texts: two runs of one call have the same, wherever its files lie."""
        found = hashlib.sha256((self.system_prompt + self.greeting).encode())
        for turn in self.turns:
            found.update(turn.audio.tobytes() + turn.transcript.encode() + turn.reply.encode())
        return found.hexdigest()

    def messages(self, turn: Turn, heard: Mapping[int, str] = _WHOLE) -> list[Message]:
        """The conversation up to and including what the caller says in `turn`, as chat messages.

        `heard` has, by turn, what was heard of the replies that were interrupted.
        """
        messages = [
            {"role": "system", "content": self.system_prompt},
            {"role": "assistant", "content": self.greeting},
        ]
        for earlier in self.turns[: turn.number - 1]:
            messages += [
                {"role": "user", "content": earlier.transcript},
                {"role": "assistant", "content": heard.get(earlier.number, earlier.reply)},
            ]
        return [*messages, {"role": "user", "content": turn.transcript}]


def load(path: Path) -> CallRecording:
    """Read a call file, or the `call.toml` of a folder; chunks are found beside it.

    `call61` is the one that comes along.

    Raises:
        InputError: names the file, the field and what it must be.
    """
    if path == Path(places.CALL.stem) and not path.exists():
        path = places.CALL
    if path.is_dir():
        path = path / FILE
    document = read_toml(path, "call file")
    tables = document.get("turn")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"{shown(path)}: needs at least one [[turn]] table")
    turns = tuple(_turn(path, number, table) for number, table in enumerate(tables, start=1))
    header = {key: _text(path, "", document, key) for key in ("name", "system_prompt", "greeting", "voice")}
    return CallRecording(**header, turns=turns)


def _turn(path: Path, number: int, table: Mapping[str, Any]) -> Turn:
    where = f"turn {number}: "
    chunk = path.parent / _text(path, where, table, "chunk")
    if not chunk.is_file():
        raise InputError(f"{shown(path)}: {where}chunk {shown(chunk)} does not exist")
    return Turn(number, chunk, _text(path, where, table, "transcript"), _text(path, where, table, "reply"))


def _text(path: Path, where: str, table: Mapping[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        problem = "is missing" if value is None else f"must be a text that says something, not {value!r}"
        raise InputError(f"{shown(path)}: {where}field {key!r} {problem}")
    return value.strip()
