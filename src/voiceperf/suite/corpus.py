"""The material that quality is judged on: recorded utterances with transcripts, and written conversations."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceperf.audio import Samples, read_speech
from voiceperf.errors import InputError

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "file": str,
    "text": str,
    "speaker": str,
    "kind": str,
    "seconds": (int, float),
}


@dataclass(frozen=True)
class Recording:
    """One utterance of a manifest."""

    path: Path
    text: str
    speaker: str
    kind: str
    seconds: float

    def audio(self) -> Samples:
        return read_speech(self.path)


def read_manifest(path: Path) -> list[Recording]:
    """Read a manifest: one JSON object a line, with file (beside it), text, speaker, kind and seconds.

    Raises:
        InputError: names the file, the line and the field.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such manifest")
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    recordings = [_recording(path, number, line) for number, line in enumerate(lines, start=1)]
    if not recordings:
        raise InputError(f"{path}: lists no recordings")
    seen: dict[Path, int] = {}
    for number, recording in enumerate(recordings, start=1):
        if (first := seen.setdefault(recording.path, number)) != number:
            raise InputError(f"{path}: line {number}: {recording.path.name} is listed in line {first} already")
    return recordings


def _recording(manifest: Path, number: int, line: str) -> Recording:
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError as error:
        raise InputError(f"{manifest}: line {number} is not JSON ({error})") from None
    for name, kind in _FIELDS.items():
        if not isinstance(entry.get(name), kind):
            raise InputError(f"{manifest}: line {number}: field {name!r} is missing or of a wrong type")
    path = manifest.parent / entry["file"]
    if not path.is_file():
        raise InputError(f"{manifest}: line {number}: {path} does not exist")
    return Recording(path, entry["text"], entry["speaker"], entry["kind"], float(entry["seconds"]))


@dataclass(frozen=True)
class Conversation:
    """A written conversation; those for calibration may choose a setting, only the others may judge it."""

    use: str
    system: str
    turns: tuple[tuple[str, str], ...]

    def as_text(self) -> str:
        """In ChatML, the format that SmolLM2 and many small instruct models were trained on."""
        spoken = [("system", self.system)]
        for asked, answered in self.turns:
            spoken += [("user", asked), ("assistant", answered)]
        return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in spoken)


def read_conversations(path: Path, use: str = "evaluation") -> list[Conversation]:
    """Read the conversations of one use.

    Raises:
        InputError: the file is missing, is not TOML, or lacks a field.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))["conversation"]
        found = [Conversation(t["use"], t["system"], tuple((u, a) for u, a in t["turns"])) for t in tables]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file of conversations") from None
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not a file of conversations ({error!r})") from None
    return [conversation for conversation in found if conversation.use == use]
