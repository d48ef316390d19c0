"""What commands measure on where nothing else is named: the checkout's call, recordings and conversations."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voiceperf import call as calls
from voiceperf.errors import InputError
from voiceperf.places import fixtures_dir
from voiceperf.suite.quality_gate import Corpus

CallFile = Annotated[
    Path | None, typer.Option("--call", help="A call file to take the turns from (default: the checkout's Call 61).")
]
Storage = Annotated[Path, typer.Option(help="Where pytest-benchmark keeps its runs.")]


def recorded_call(path: Path | None) -> calls.CallRecording:
    """The named call, or the checkout's."""
    return calls.load(path or _in_checkout("calls", "call61.toml"))


def corpus(every_nth: int) -> Corpus:
    """The checkout's recordings and conversations."""
    return Corpus(_in_checkout("audio", "manifest.jsonl"), _in_checkout("text", "conversations.toml"), every_nth)


def _in_checkout(folder: str, name: str) -> Path:
    path = fixtures_dir() / folder / name
    if not path.is_file():
        raise InputError(f"{path}: there is none beside an installed voiceperf; run it in a checkout")
    return path
