"""Where things lie on this machine: the model cache, its own profile, and what comes with voiceperf."""

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
    """The recordings, texts and voices that come with voiceperf: within the installed package, or in the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "fixtures"
    return installed if installed.is_dir() else package.parents[1] / "fixtures"


CALL = fixtures_dir() / "calls" / "call61.toml"
MANIFEST = fixtures_dir() / "audio" / "manifest.jsonl"
CONVERSATIONS = fixtures_dir() / "text" / "conversations.toml"
