"""Where things lie on this machine: the model cache, its own profile, and the fixtures of a source checkout."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

CACHE_VARIABLE = "VOICEPERF_CACHE"
DATA_VARIABLE = "VOICEPERF_DATA"


def cache_dir() -> Path:
    """Where models are kept: `$VOICEPERF_CACHE`, or the platform's cache folder."""
    chosen = os.environ.get(CACHE_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("voiceperf"))


def data_dir() -> Path:
    """Where this machine's own profile is kept: `$VOICEPERF_DATA`, or the platform's data folder."""
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("voiceperf"))


def fixtures_dir() -> Path:
    """The checkout's `fixtures/`; in an installed wheel there is none, and the path does not exist."""
    return Path(__file__).resolve().parents[2] / "fixtures"
