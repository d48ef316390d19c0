"""What commands measure on: the user's own, or what comes with voiceperf."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voiceperf import call as calls
from voiceperf import places
from voiceperf.quality.corpus import Corpus

CallFile = Annotated[Path | None, typer.Option("--call", help="A call file to take the turns from (default: Call 61).")]
Storage = Annotated[Path, typer.Option(help="Where pytest-benchmark keeps its runs.")]


def recorded_call(path: Path | None) -> calls.CallRecording:
    """The named call, or Call 61."""
    return calls.load(path or places.CALL)


def corpus(every_nth: int) -> Corpus:
    """The recordings and conversations that come with voiceperf."""
    return Corpus(places.MANIFEST, places.CONVERSATIONS, every_nth)
