"""Another revision of voiceperf, laid out beside this one for the length of a comparison."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from voiceperf.errors import InputError
from voiceperf.files import shown


@contextmanager
def source_of(revision: str, repository: Path) -> Iterator[str]:
    """A folder from which a worker imports voiceperf as it was in a revision; gone afterwards.

    Raises:
        InputError: no such revision, or no repository.
    """
    top = Path(os.fsdecode(_git(repository, "rev-parse", "--show-toplevel").stdout.rstrip(b"\n")))
    commit = _commit(top, revision)
    archived = _git(top, "archive", "--format=tar", commit, "src/voiceperf", otherwise=f"{revision!r} has no voiceperf")
    with tempfile.TemporaryDirectory(prefix="voiceperf-") as folder:
        with tarfile.open(fileobj=io.BytesIO(archived.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield str(Path(folder) / "src")


def _commit(repository: Path, revision: str) -> str:
    """The commit that a revision names; a branch that a clone knows only of its origin is found there.

    Raises:
        InputError: says what to fetch where the clone does not hold it.
    """
    for name in (revision, f"origin/{revision}"):
        found = _run(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        if found.returncode == 0:
            return found.stdout.decode().strip()
    shallow = _run(repository, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    remedy = f"fetch it: git fetch {'--unshallow ' if shallow else ''}origin {revision}"
    where = f"this {'shallow ' if shallow else ''}clone, {shown(repository)}"
    raise InputError(f"revision {revision!r} is not in {where}; {remedy}")


def _git(folder: Path, *command: str, otherwise: str = "") -> subprocess.CompletedProcess[bytes]:
    done = _run(folder, *command)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{shown(folder)}: {otherwise or (reason[-1] if reason else 'git failed')}")
    return done


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *command], capture_output=True, check=False)
    except FileNotFoundError:
        raise InputError("to compare with a revision git is needed: apt-get install git") from None
