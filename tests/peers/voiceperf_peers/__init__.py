"""Engines by others that `make peers` measures beside the shipped ones, added to voiceperf from outside."""
