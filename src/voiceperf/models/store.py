"""The model cache: pull into it, verify what is there, find a file for an engine.

A file appears in the cache whole and verified or not at all. Beside each stands a small record of where it
came from and what its hash was, `FILE.json`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from voiceperf.errors import ModelError
from voiceperf.log import Progress, silent
from voiceperf.models.catalogue import CATALOGUE, Asset, find
from voiceperf.models.sources import Errand, HuggingFace, Source
from voiceperf.places import CACHE_VARIABLE, cache_dir


@dataclass(frozen=True)
class Record:
    """Where a cached file came from."""

    source: str
    bytes: int
    sha256: str


def path_of(asset: Asset) -> Path:
    """Where an asset lies, or would lie, in the cache."""
    return cache_dir() / "models" / asset.filename


def locate(name_or_path: str) -> Path:
    """The file of a catalogue name, or the user's own file. Never downloads.

    Raises:
        ModelError: says how to get it.
    """
    if name_or_path in CATALOGUE:
        path = path_of(CATALOGUE[name_or_path])
        if not path.is_file():
            raise ModelError(f"{name_or_path} is not in {path.parent}; run: voiceperf models pull {name_or_path}")
        return path
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    raise ModelError(f"no model {name_or_path!r}: neither a file nor one of {', '.join(CATALOGUE)}")


def pull(name: str, progress: Progress = silent) -> Path:
    """Fetch an asset from the first of its sources that works, unless it is there already.

    Raises:
        ModelError: no source works, with the reason of each; or what came is not what it should be.
    """
    asset = find(name)
    target = path_of(asset)
    if target.is_file() and target.stat().st_size == asset.bytes:
        return target
    folder = private_folder(target.parent)
    try:
        return _pull_from_any(asset, target, folder, progress)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone(waiting: Callable[[], None]) -> Iterator[None]:
    """Keep other processes from pulling into the same cache meanwhile; what one that was killed left is removed.

    Args:
        waiting: called where another one is at it and has to end first.
    """
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".pulling").open("w")
    except OSError as error:
        raise ModelError(f"cannot write the model cache {folder} ({error}); set {CACHE_VARIABLE}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            waiting()
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in (folder / "models").glob(".pull-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def tidy() -> None:
    """Delete the wheels that pulls have kept; call it when all that was wanted is here."""
    shutil.rmtree(_downloads(), ignore_errors=True)


def _downloads() -> Path:
    return cache_dir() / "downloads"


def private_folder(parent: Path) -> Path:
    """A fresh folder on the cache's own file system, so that the last step is a rename."""
    try:
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=".pull-", dir=parent))
    except OSError as error:
        raise ModelError(f"cannot write the model cache {parent} ({error}); set {CACHE_VARIABLE}") from None


def _pull_from_any(asset: Asset, target: Path, folder: Path, progress: Progress) -> Path:
    reasons = []
    for source in asset.sources:
        part = folder / asset.filename
        part.unlink(missing_ok=True)
        try:
            source.fetch(part, Errand(progress, _downloads(), lambda name: pull(name, progress)))
            record = _verified(asset, source, part)
        except ModelError as error:
            reasons.append(f"{source.describe()}: {error}")
            continue
        _settle(part, target, record)
        return target
    raise ModelError(f"{asset.name} cannot be had. " + "; ".join(reasons))


def _verified(asset: Asset, source: Source, part: Path) -> Record:
    found, sha256 = part.stat().st_size, file_sha256(part)
    if found != asset.bytes:
        raise ModelError(f"came with {found} bytes instead of {asset.bytes}")
    if asset.sha256 not in (None, sha256) and not isinstance(source, HuggingFace):
        raise ModelError(f"came with sha256 {sha256[:12]}... instead of {str(asset.sha256)[:12]}...")
    return Record(source.describe(), found, sha256)


def _settle(part: Path, target: Path, record: Record) -> None:
    """Move a verified file into place; the record goes first, so that no file ever stands without one."""
    note = part.with_name("record.json")
    note.write_text(json.dumps(asdict(record), indent=1) + "\n")
    os.replace(note, record_path(target))
    os.replace(part, target)


def record_path(target: Path) -> Path:
    """Where the record of a cached file stands."""
    return target.with_name(target.name + ".json")


def verify(name: str) -> str | None:
    """Why a cached asset cannot be trusted, or None. Reads the whole file.

    Raises:
        ModelError: it is not there.
    """
    asset = find(name)
    path = locate(name)
    if path.stat().st_size != asset.bytes:
        return f"{path} has {path.stat().st_size} bytes instead of {asset.bytes}; delete it and pull again"
    try:
        expected = Record(**json.loads(record_path(path).read_text())).sha256
    except (OSError, ValueError, TypeError):
        expected = asset.sha256 or ""
    if file_sha256(path) != expected:
        return f"{path} is not the file that was pulled (sha256 differs); delete it and pull again"
    return None


def file_sha256(path: Path) -> str:
    """The hash of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
