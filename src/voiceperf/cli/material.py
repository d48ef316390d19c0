"""What commands measure on: the user's own, or what comes with voiceperf."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from voiceperf import call as calls
from voiceperf import places
from voiceperf.quality.corpus import EVERYTHING, JUDGING, Corpus, Portion

CallFile = Annotated[Path | None, typer.Option("--call", help="A call file to take the turns from (default: Call 61).")]
Manifest = Annotated[
    Path | None, typer.Option(help="Recordings with transcripts to judge hearing on, one JSON object a line.")
]
Conversations = Annotated[Path | None, typer.Option(help="Conversations to judge thinking on, a TOML file.")]
Texts = Annotated[Path | None, typer.Option(help="Texts to judge speaking on, one a line.")]
Storage = Annotated[Path, typer.Option(help="Where pytest-benchmark keeps its runs.")]


def recorded_call(path: Path | None) -> calls.CallRecording:
    """The named call, or Call 61."""
    return calls.load(path or places.CALL)


@dataclass(frozen=True)
class Material:
    """What the user names to judge quality on; what is not named comes with voiceperf."""

    manifest: Path | None = None
    conversations: Path | None = None
    texts: Path | None = None

    def corpus(self, portion: Portion = EVERYTHING, use: str = JUDGING) -> Corpus:
        """What is named, and a portion of what comes with voiceperf.

        Raises:
            InputError: a file that is missing or damaged, before anything is measured.
        """
        found = Corpus(
            self.manifest or places.MANIFEST,
            self.conversations or places.CONVERSATIONS,
            portion,
            self.texts,
            use,
        )
        if self != Material():
            found.recordings()
            found.scored()
            found.digest()
        return found
