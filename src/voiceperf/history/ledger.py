"""What stands beside the runs: which one is accepted on each machine, and each machine's noise."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from voiceperf.errors import InputError
from voiceperf.history.runs import Run, read_run
from voiceperf.judge.planning import Noise
from voiceperf.judge.verdict import Verdict

ACCEPTED = "accepted.json"
NOISE = "noise.json"


def accept(storage: Path, path: Path, date: str) -> Run:
    """Make a run the one that later runs on its machine are held against.

    Raises:
        InputError: it lacks pairs or a fingerprint, lies outside the storage, or failed its own criteria.
    """
    run = read_run(path)
    reason = _unacceptable(run)
    if reason:
        raise InputError(f"{run.source}: not accepted: {reason}")
    if not path.resolve().is_relative_to(storage.resolve()):
        raise InputError(f"{path}: lies outside {storage}; copy it there first, so that later runs find it")
    name = path.resolve().relative_to(storage.resolve()).as_posix()
    entry = {"run": name, "sha256": _sha256(path), "accepted": date, "commit": run.commit}
    _update(storage / ACCEPTED, str(run.machine_id), entry)
    return run


def _unacceptable(run: Run) -> str | None:
    if run.machine_id is None:
        return "it has no fingerprint; it was not saved by the voiceperf plugin"
    if not run.data().series:
        return "it holds no benchmark of pairs"
    for row in run.record.get("criteria", []):
        if row["verdict"] in (Verdict.FAIL, Verdict.INVALID):
            return f"{row['criterion']} against {row['baseline']}: {row['verdict']}, {row['reason']}"
    return None


def accepted_path(storage: Path, machine_id: str | None) -> Path:
    """The file of the run that is accepted on a machine.

    Raises:
        InputError: none is accepted here, or its file is gone or has been changed.
    """
    entries = _read(storage / ACCEPTED)
    entry = entries.get(str(machine_id))
    if entry is None:
        known = f"; {len(entries)} other machines have one" if entries else ""
        raise InputError(f"no run is accepted for this machine ({machine_id}){known}; run: voiceperf accept RUN")
    path = storage / str(entry["run"])
    if not path.is_file():
        raise InputError(f"{path}: the accepted run is gone")
    if _sha256(path) != entry["sha256"]:
        raise InputError(f"{path}: changed since it was accepted; accept it again if that was meant")
    return path


def write_noise(storage: Path, fingerprint: Mapping[str, Any], noise: Mapping[str, Noise], date: str) -> Path:
    """Keep a machine's noise, by series."""
    entry = {
        "calibrated": date,
        "fingerprint": fingerprint,
        "series": {name: asdict(found) for name, found in noise.items()},
    }
    _update(storage / NOISE, str(fingerprint["machine_id"]), entry)
    return storage / NOISE


def read_noise(storage: Path, machine_id: str | None) -> dict[str, Noise]:
    """A machine's noise by series; empty where it was never calibrated."""
    entry = _read(storage / NOISE).get(str(machine_id), {"series": {}})
    try:
        return {name: Noise(**values) for name, values in entry["series"].items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{storage / NOISE}: damaged ({error!r}); run: voiceperf calibrate") from None


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); restore it from version control") from None
    if not isinstance(entries, dict):
        raise InputError(f"{path}: damaged (not a table of machines); restore it from version control")
    return entries


def _update(path: Path, machine_id: str, entry: Mapping[str, Any]) -> None:
    """Replace one machine's entry; the file is whole at every moment."""
    entries = {**_read(path), machine_id: entry}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    os.replace(part, path)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
