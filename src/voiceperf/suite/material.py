"""What comes with voiceperf to measure on: a recorded call, recordings with transcripts, written conversations."""

from __future__ import annotations

from voiceperf.places import fixtures_dir

CALL = fixtures_dir() / "calls" / "call61.toml"
MANIFEST = fixtures_dir() / "audio" / "manifest.jsonl"
CONVERSATIONS = fixtures_dir() / "text" / "conversations.toml"
