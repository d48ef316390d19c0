"""One structured line for each run of an engine, and for what is worth knowing, when `VOICEPERF_LOG=json` asks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

VARIABLE = "VOICEPERF_LOG"


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
