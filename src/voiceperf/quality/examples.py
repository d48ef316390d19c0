"""What was heard and said while quality was judged, kept with the run for people to read and to listen to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from voiceperf.engines.base import Speech
from voiceperf.quality.corpus import Recording
from voiceperf.roles import HEARING, SPEAKING


class Examples:
    """By role and utterance: the reference, and what came out under each profile.

    `sounds` are the spoken replies by their digest, shape (n,), float32 at `rate_hz`; profiles that sound alike share
    one.
    """

    def __init__(self) -> None:
        self.texts: dict[str, dict[str, dict[str, Any]]] = {}
        self.sounds: dict[str, Speech] = {}

    def heard(
        self, profile: str, named: Mapping[str, Recording], transcripts: Sequence[str], language: str = ""
    ) -> None:
        """What a profile made of recorded speech, which is in the language named where it says nothing of its own."""
        for (name, recording), transcript in zip(named.items(), transcripts, strict=True):
            facts = {"kind": recording.kind, "line": recording.line}
            facts |= {"language": spoken} if (spoken := recording.language or language) else {}
            self._entry(HEARING, name, recording.text, **facts)[profile] = {"text": transcript}

    def spoken(self, profile: str, name: str, text: str, speech: Speech, heard: str, *, language: str = "") -> None:
        """How a profile says a text, and what the candidate's own hearing makes of it, in the language it expects."""
        digest = hashlib.sha256(np.ascontiguousarray(speech.audio).tobytes()).hexdigest()
        self.sounds[digest] = speech
        facts = {"language": language} if language else {}
        self._entry(SPEAKING, name, text, **facts)[profile] = {"text": heard, "sound": digest}

    def alike(self, role: str, judged: str, other: str) -> None:
        """Another profile hears or speaks just as the judged one does."""
        for entry in self.texts.get(role, {}).values():
            entry["by_profile"].setdefault(other, entry["by_profile"][judged])

    def _entry(self, role: str, name: str, reference: str, **facts: str) -> dict[str, Any]:
        entry = self.texts.setdefault(role, {}).setdefault(name, {"reference": reference, **facts, "by_profile": {}})
        found: dict[str, Any] = entry["by_profile"]
        return found
