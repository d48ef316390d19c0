"""What quality is judged on: recorded utterances with transcripts, and written conversations.

Some of it may choose settings, the rest judges them: a setting that was chosen on a recording does better there than
elsewhere. `use` says which; what names none serves both.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import runpy
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from voiceperf import places
from voiceperf.audio import Samples, read_speech
from voiceperf.call import CallRecording
from voiceperf.conversation import Message
from voiceperf.errors import InputError
from voiceperf.files import is_file, parsed, read_bytes, read_text, read_toml, reason_of, shown
from voiceperf.lines import CLEAN, LINES, through

CHOOSING, JUDGING = USES = ("calibration", "evaluation")
CHUNK_SECONDS = (0.4, 8.0)  # what a caller says in one go

_FIELDS: dict[str, type | tuple[type, ...]] = {
    "file": str,
    "text": str,
    "speaker": str,
    "kind": str,
    "seconds": (int, float),
}
_LANGUAGE = re.compile(r"([A-Za-z]{2,3}([-_]\w+)*)?")
_CHOICES = {"use": USES, "line": tuple(LINES)}  # fields that may be left out


@dataclass(frozen=True)
class Recording:
    """One utterance of a manifest, the line over which it is heard, and what it may be used for."""

    path: Path
    text: str
    speaker: str
    kind: str
    seconds: float
    line: str = CLEAN
    use: str | None = None
    language: str = ""  # the engine's own

    def audio(self) -> Samples:
        return through(self.line, read_speech(self.path), zlib.crc32(self.path.name.encode()))


def read_manifest(path: Path) -> list[Recording]:
    """Read a manifest: one JSON object a line, with file (beside it), text, speaker, kind and seconds.

    Three fields may be left out: `use`, which says that it only chooses settings or only judges them, `line`, which
    puts the recording through noise or a telephone before it is heard, and `language`, a code as de or en-us.

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
    for name, choices in _CHOICES.items():
        if name in entry and entry[name] not in choices:
            raise InputError(f"{where}: field {name!r} must be one of {', '.join(choices)}, or left out")
    language = entry.get("language", "")
    if not isinstance(language, str) or not _LANGUAGE.fullmatch(language):
        raise InputError(f"{where}: field 'language' must be a code as de or en-us, or left out")
    path = manifest.parent / entry["file"]
    if not is_file(path):
        raise InputError(f"{where}: {shown(path)} does not exist")
    chosen = {name: entry[name] for name in _CHOICES if name in entry}
    facts = (entry["text"], entry["speaker"], entry["kind"], float(entry["seconds"]))
    return Recording(path, *facts, **chosen, language=language)


Check = Callable[[str], bool]
"""Whether an answer does what its author wanted."""


@dataclass(frozen=True)
class Conversation:
    """A written conversation, and what it may be used for.

    `checks` are those that its author wrote for single turns, by the turn's place from 0.
    """

    use: str | None
    system: str
    turns: tuple[tuple[str, str], ...]
    checks: Mapping[int, Check] = field(default_factory=dict)

    def messages(self, turn: int) -> tuple[Message, ...]:
        """What a model is asked at a turn: all before it as written, and the caller's words."""
        said: list[Message] = [{"role": "system", "content": self.system}]
        for asked, answered in self.turns[:turn]:
            said += [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
        return (*said, {"role": "user", "content": self.turns[turn][0]})

    def passes(self, turn: int, answer: str) -> bool | None:
        """Whether an answer passes the turn's check; None where it has none."""
        return self.checks[turn](answer) if turn in self.checks else None

    def as_text(self) -> str:
        """In ChatML, the format that SmolLM2 and many small instruct models were trained on."""
        spoken = [("system", self.system)]
        for asked, answered in self.turns:
            spoken += [("user", asked), ("assistant", answered)]
        return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in spoken)


def read_conversations(path: Path, use: str = JUDGING) -> list[Conversation]:
    """Read the conversations of one use, with those that serve both.

    Raises:
        InputError: the file is missing, is not TOML, lacks a field, has a check that is none, or none of this use.
    """
    document = read_toml(path, "file of conversations")
    try:
        tables = document["conversation"]
        found = [
            Conversation(t.get("use"), t["system"], tuple((u, a) for u, a, *_ in t["turns"]), _checks(path, t["turns"]))
            for t in tables
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{shown(path)}: not a file of conversations ({reason_of(error)})") from None
    texts = [text for c in found for text in (c.system, *(t for turn in c.turns for t in turn))]
    if not all(isinstance(text, str) for text in texts):
        raise InputError(f"{shown(path)}: not a file of conversations (system and turns must be texts)")
    if wrong := [conversation.use for conversation in found if conversation.use not in (None, *USES)]:
        raise InputError(f"{shown(path)}: use = {wrong[0]!r} must be one of {', '.join(USES)}, or left out")
    return _of_use(found, use, f"{shown(path)}: no conversation")


_Material = TypeVar("_Material", Recording, Conversation)


def _of_use(found: Sequence[_Material], use: str, none: str) -> list[_Material]:
    """Those of a use, and those that serve both."""
    if kept := [one for one in found if one.use in (None, use)]:
        return kept
    raise InputError(f'{none} is for {use}; mark some with use = "{use}", or leave `use` out')


def _checks(path: Path, turns: Iterable[Sequence[Any]]) -> dict[int, Check]:
    """The third part of each turn that has one: a regular expression, or `{call = "FILE.py:FUNCTION"}`."""
    return {number: _check(path, more[0]) for number, (_, _, *more) in enumerate(turns) if more}


def _check(path: Path, written: Any) -> Check:
    where = f"{shown(path)}: check {written!r}"
    if isinstance(written, dict) and set(written) == {"call"} and isinstance(written["call"], str):
        return _called(path, where, *written["call"].partition(":")[::2])
    if not isinstance(written, str):
        raise InputError(f'{where}: must be a regular expression, or a table as {{call = "checks.py:is_booked"}}')
    try:
        pattern = re.compile(written, re.IGNORECASE)
    except re.error as error:
        raise InputError(f"{where}: no regular expression ({error})") from None
    return lambda answer: pattern.search(answer) is not None


def _called(path: Path, where: str, file: str, name: str) -> Check:
    """A function of a Python file beside the conversations."""
    source = path.parent / file
    if not is_file(source):
        raise InputError(f"{where}: {shown(source)} does not exist")
    try:
        function = runpy.run_path(str(source)).get(name)
    except Exception as error:
        raise InputError(f"{where}: {shown(source)} cannot be run ({reason_of(error)})") from None
    if not callable(function):
        raise InputError(f"{where}: {shown(source)} has no function {name!r}")

    def passes(answer: str) -> bool:
        try:
            return bool(function(answer))
        except Exception as error:
            raise InputError(f"{where}: failed on {answer[:40]!r} ({reason_of(error)})") from None

    return passes


@dataclass(frozen=True)
class Portion:
    """How much of what comes with voiceperf is used: every nth recording is heard, every nth answer spoken."""

    recordings: int = 1
    answers: int = 1


EVERYTHING = Portion()


@dataclass(frozen=True)
class Corpus:
    """What quality is judged on.

    `texts`, one a line, are spoken instead of the conversations' answers; all of them. `use` says which of it: what
    chooses settings, or what judges them.
    """

    manifest: Path
    conversations: Path
    portion: Portion = EVERYTHING  # of the user's own material, all is used
    texts: Path | None = None
    use: str = JUDGING

    def digest(self) -> str:
        """Of all texts and sounds: two runs are judged on the same material, or are not compared."""
        found = hashlib.sha256(read_bytes(self.manifest) + read_bytes(self.conversations))
        found.update(read_bytes(self.texts) if self.texts else b"")
        for recording in read_manifest(self.manifest):
            found.update(read_bytes(recording.path))
        return found.hexdigest()

    def whole(self) -> Corpus:
        """The same, and all of it."""
        return replace(self, portion=EVERYTHING)

    def recordings(self, *, any_length: bool = False) -> dict[str, Recording]:
        """What is heard, by its name within the manifest's folder: what a caller says in one go, or all.

        Of the user's own recordings it is all of those for this use.
        """
        is_own = self.manifest != places.MANIFEST
        shortest, longest = (0.0, math.inf) if any_length or is_own else CHUNK_SECONDS
        of_use = _of_use(read_manifest(self.manifest), self.use, f"{shown(self.manifest)}: no recording")
        chunks = [r for r in of_use if shortest <= r.seconds <= longest]
        step = 1 if is_own else self.portion.recordings
        return {Path(os.path.relpath(r.path, self.manifest.parent)).as_posix(): r for r in chunks[::step]}

    def scored(self) -> list[Conversation]:
        """What is read token by token."""
        return read_conversations(self.conversations, self.use)

    def lines(self, call: CallRecording) -> dict[str, str]:
        """What is spoken, by name: the call's replies, and written answers, because seven replies bound no rate."""
        if self.texts:
            lines = [line.strip() for line in read_text(self.texts).splitlines() if line.strip()]
            return replies(call) | {f"text {number}": text for number, text in enumerate(lines, start=1)}
        answers = [answer for conversation in self.scored() for _, answer in conversation.turns]
        numbered = list(enumerate(answers, start=1))[:: self.portion.answers]
        return replies(call) | {f"answer {number}": text for number, text in numbered}


def replies(call: CallRecording) -> dict[str, str]:
    """A call's replies, by the name of their turn."""
    return {f"turn {turn.number}": turn.reply for turn in call.turns}
