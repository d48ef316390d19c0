"""Another revision of voiceperf, laid out beside this one for the length of a comparison."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voiceperf.errors import InputError


@contextmanager
def source_of(revision: str, repository: Path) -> Iterator[str]:
    """A folder from which a worker imports voiceperf as it was in a revision; gone afterwards.

    Raises:
        InputError: no such revision, or no repository.
    """
    command = ["git", "-C", str(repository), "archive", "--format=tar", revision, "src/voiceperf"]
    try:
        archived = subprocess.run(command, capture_output=True, check=False)
    except FileNotFoundError:
        raise InputError(f"revision {revision!r}: git is not installed") from None
    if archived.returncode:
        reason = archived.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"revision {revision!r} of {repository}: {reason[-1] if reason else 'git archive failed'}")
    with tempfile.TemporaryDirectory(prefix="voiceperf-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield str(Path(folder) / "src")
