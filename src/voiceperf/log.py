"""One structured line for each run of an engine, when `VOICEPERF_LOG=json` asks for it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

VARIABLE = "VOICEPERF_LOG"


def log_timing(engine: str, key: str, figures: Mapping[str, float | int | None]) -> None:
    """Write a run's figures to stderr as one JSON object, or nothing."""
    if os.environ.get(VARIABLE) != "json":
        return
    line = {"time": datetime.now(UTC).isoformat(), "event": "run", "engine": engine, "input": key, **figures}
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()
