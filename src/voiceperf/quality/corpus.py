"""What quality is judged on: recorded utterances with transcripts, and written conversations."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from pathlib import Path

from voiceperf import places
from voiceperf.audio import Samples, read_speech
from voiceperf.call import CallRecording
from voiceperf.errors import InputError
from voiceperf.files import is_file, parsed, read_bytes, read_text, read_toml, reason_of, shown

CHUNK_SECONDS = (0.4, 8.0)  # what a caller says in one go

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
    lines = enumerate(read_text(path, "manifest").split("\n"), start=1)
    recordings = [_recording(path, number, line) for number, line in lines if line.strip()]
    if not recordings:
        raise InputError(f"{path}: lists no recordings")
    seen: dict[Path, int] = {}
    for number, recording in enumerate(recordings, start=1):
        if (first := seen.setdefault(recording.path, number)) != number:
            raise InputError(f"{path}: line {number}: {recording.path.name} is listed in line {first} already")
    return recordings


def _recording(manifest: Path, number: int, line: str) -> Recording:
    where = f"{shown(manifest)}: line {number}"
    entry = parsed(json.loads, line, where, "JSON")
    if not isinstance(entry, dict):
        raise InputError(f"{where}: needs an object with {', '.join(_FIELDS)}")
    for name, kind in _FIELDS.items():
        if not isinstance(entry.get(name), kind) or isinstance(entry[name], bool):
            raise InputError(f"{where}: field {name!r} is missing or of a wrong type")
    try:
        is_time = 0 < float(entry["seconds"]) < math.inf
    except OverflowError:
        is_time = False
    if not is_time:
        raise InputError(f"{where}: field 'seconds' must be a length of time above 0")
    path = manifest.parent / entry["file"]
    if not is_file(path):
        raise InputError(f"{where}: {shown(path)} does not exist")
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
    document = read_toml(path, "file of conversations")
    try:
        tables = document["conversation"]
        found = [Conversation(t["use"], t["system"], tuple((u, a) for u, a in t["turns"])) for t in tables]
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{shown(path)}: not a file of conversations ({reason_of(error)})") from None
    texts = [text for c in found for text in (c.use, c.system, *(t for turn in c.turns for t in turn))]
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{shown(path)}: not a file of conversations (use, system and turns must be texts)")
    return [conversation for conversation in found if conversation.use == use]


@dataclass(frozen=True)
class Corpus:
    """What quality is judged on; of the recordings and of the answers, every nth.

    `texts`, one a line, are spoken instead of the conversations' answers; all of them.
    """

    manifest: Path
    conversations: Path
    every_nth: int
    texts: Path | None = None

    def digest(self) -> str:
        """Of all texts and sounds: two runs are judged on the same material, or are not compared."""
        found = hashlib.sha256(read_bytes(self.manifest) + read_bytes(self.conversations))
        found.update(read_bytes(self.texts) if self.texts else b"")
        for recording in read_manifest(self.manifest):
            found.update(read_bytes(recording.path))
        return found.hexdigest()

    def recordings(self) -> dict[str, Recording]:
        """What is heard, by its name within the manifest's folder."""
        shortest, longest = CHUNK_SECONDS
        chunks = [r for r in read_manifest(self.manifest) if shortest <= r.seconds <= longest]
        step = self.every_nth if self.manifest == places.MANIFEST else 1  # of the user's own, all
        return {r.path.relative_to(self.manifest.parent).as_posix(): r for r in chunks[::step]}

    def scored(self) -> list[Conversation]:
        """What is read token by token."""
        return read_conversations(self.conversations)

    def lines(self, call: CallRecording) -> dict[str, str]:
        """What is spoken, by name: the call's replies, and written answers, because seven replies bound no rate."""
        if self.texts:
            lines = [line.strip() for line in read_text(self.texts).splitlines() if line.strip()]
            return replies(call) | {f"text {number}": text for number, text in enumerate(lines, start=1)}
        answers = [answer for conversation in self.scored() for _, answer in conversation.turns]
        numbered = list(enumerate(answers, start=1))[:: self.every_nth]
        return replies(call) | {f"answer {number}": text for number, text in numbered}


def replies(call: CallRecording) -> dict[str, str]:
    """A call's replies, by the name of their turn."""
    return {f"turn {turn.number}": turn.reply for turn in call.turns}
