"""What is said while work goes on: how far it is, and lines for programs where `VOICEPERF_LOG=json` asks for them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

VARIABLE = "VOICEPERF_LOG"

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and of how much (0: unknown)."""


def say(line: str) -> None:
    """A line on stderr about what is going on, beside the results."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def silent(title: str, done: int, total: int) -> None:
    """A progress that nobody watches."""


def log_timing(engine: str, key: str, figures: Mapping[str, float | int | None]) -> None:
    """Write a run's figures to stderr as one JSON object, or nothing."""
    log_event("run", engine=engine, input=key, **figures)


def log_event(event: str, **facts: str | float | int | None) -> None:
    """Write what happened to stderr as one JSON object, or nothing."""
    if os.environ.get(VARIABLE) != "json":
        return
    line = {"time": datetime.now(UTC).isoformat(), "event": event, **facts}
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


@contextmanager
def quiet() -> Iterator[None]:
    """While nothing comes of what this process writes to the standard error, native code too."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed already
        yield
        return
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
