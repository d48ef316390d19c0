"""The spoken replies of saved runs, beside them: one lossless file for each sound, named by what it holds."""

from __future__ import annotations

from pathlib import Path

from voiceperf.audio import Samples, write_flac

FOLDER = "sounds"
_DIGITS = 16  # of the digest, as many as no two sounds of a history share


def keep(storage: Path, digest: str, samples: Samples, rate_hz: int) -> None:
    """Save a sound, where it is not there yet."""
    path = path_of(storage, digest)
    if not path.is_file():
        write_flac(path, samples, rate_hz)


def path_of(storage: Path, digest: str) -> Path:
    """Where a sound is, if it was kept."""
    return storage / FOLDER / f"{digest[:_DIGITS]}.flac"
