"""What stands beside the runs: which one is accepted on each machine, and each machine's noise."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from voiceperf import machine
from voiceperf.errors import InputError
from voiceperf.files import read_bytes, read_json, write_text
from voiceperf.history.formerly import FORMAT, renamed_series
from voiceperf.history.runs import Run, read_run
from voiceperf.judge.noise import NOTHING, Noise, Variance
from voiceperf.judge.verdict import Verdict

ACCEPTED = "accepted.json"
NOISE = "noise.json"


def accept(storage: Path, path: Path, date: str) -> Run:
    """Make a run the one that later runs on its machine are held against.

    Raises:
        InputError: it lacks pairs or a fingerprint, lies outside the storage, or did not pass its own criteria.
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
        return "it does not say on which machine; save one with this version of voiceperf"
    if not run.data.series:
        return "it holds no benchmark of pairs"
    if not run.data.criteria:
        return "it has judged no quality; save one of the whole suite"
    for row in run.record.get("criteria", []):
        if row["verdict"] not in (Verdict.PASS, Verdict.NOT_APPLICABLE):
            return f"{row['criterion']} against {row['baseline']}: {row['verdict']}, {row['reason']}"
    return None


def accepted_path(storage: Path, machine_id: str | None) -> Path:
    """The file of the run that is accepted on a machine.

    Raises:
        InputError: none is accepted here, or its file is gone or has been changed.
    """
    entries = {_machine_of(storage, name, entry): entry for name, entry in _by_date(storage / ACCEPTED, "accepted")}
    if str(machine_id) not in entries:
        known = f"; {len(entries)} other machines have one" if entries else ""
        raise InputError(
            f"no run is accepted for this machine ({machine_id}){known}; save one with --benchmark-autosave, then run:"
            " voiceperf accept"
        )
    try:
        entry = entries[str(machine_id)]
        path, sha256 = storage / str(entry["run"]), entry["sha256"]
    except (KeyError, TypeError) as error:
        raise InputError(f"{storage / ACCEPTED}: damaged ({error!r}); accept a run again") from None
    if not path.is_file():
        raise InputError(f"{path}: the accepted run is gone")
    if _sha256(path) != sha256:
        raise InputError(f"{path}: changed since it was accepted; accept it again if that was meant")
    return path


def _machine_of(storage: Path, name: str, entry: Any) -> str:
    """The machine's name by the accepted run itself: names by older versions had the kernel's release in them."""
    try:
        return read_run(storage / str(entry["run"])).machine_id or name
    except (InputError, KeyError, TypeError):
        return name


@dataclass(frozen=True)
class Calibration:
    """A machine's noise by series, and what it was measured on: other forms and calls have other noise."""

    form: str
    call: str
    series: Mapping[str, Noise]

    def fits(self, record: Mapping[str, Any]) -> bool:
        """Whether it says something about a run with this record."""
        return (self.form, self.call) == (record.get("form"), record.get("call"))


def write_noise(storage: Path, fingerprint: Mapping[str, Any], noise: Calibration, date: str) -> Path:
    """Keep a machine's noise; what is known of other series of the same form and call stays."""
    machine_id = str(fingerprint["machine_id"])
    known = calibration_of(storage, machine_id)
    kept = known.series if (known.form, known.call) == (noise.form, noise.call) else {}
    entry = {
        "format": FORMAT,
        "calibrated": date,
        "fingerprint": fingerprint,
        "form": noise.form,
        "call": noise.call,
        "series": {name: asdict(found) for name, found in {**kept, **noise.series}.items()},
    }
    _update(storage / NOISE, machine_id, entry)
    return storage / NOISE


def read_noise(storage: Path, run: Run) -> Mapping[str, Noise]:
    """What calibration has found of the series of a run, on its machine; nothing where none was of its kind."""
    found = calibration_of(storage, run.machine_id)
    return found.series if found.fits(run.record) else {}


def calibration_of(storage: Path, machine_id: str | None) -> Calibration:
    """A machine's noise by series; without any where it was never calibrated.

    Raises:
        InputError: the file is damaged.
    """
    entries = {_calibrated(name, entry): entry for name, entry in _by_date(storage / NOISE, "calibrated")}
    entry = entries.get(str(machine_id), {"form": "", "call": "", "series": {}})
    try:
        series = {renamed_series(name, entry): _noise(values) for name, values in entry["series"].items()}
        return Calibration(str(entry["form"]), str(entry["call"]), series)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise InputError(f"{storage / NOISE}: damaged ({error!r}); restore it from version control") from None


def _noise(values: Mapping[str, Any]) -> Noise:
    if "launch_spread" in values:  # of before processes stood apart: theirs is in the launches'
        pair, launch = (Variance(_number(values[f"{what}_spread"]) ** 2, _number(values[f"{what}{many}"]) - least)
                        for what, many, least in (("pair", "s", 0), ("launch", "es", 1)))  # fmt: skip
        return Noise(pair, NOTHING, launch)
    return Noise(**{
        part: Variance(_number(values[part]["value"]), _number(values[part]["freedom"]))
        for part in ("pair", "process", "launch")
    })  # fmt: skip


def _number(value: Any) -> float:
    if isinstance(value, (int, float)) and 0 <= value < math.inf:
        return float(value)
    raise ValueError(f"{value!r} is no spread")


def _calibrated(name: str, entry: Any) -> str:
    """The machine's name by the facts beside its noise, else as it was called then."""
    facts = entry.get("fingerprint") if isinstance(entry, dict) else None
    return (machine.identity(facts) if isinstance(facts, dict) else None) or name


def _by_date(path: Path, date: str) -> list[tuple[str, Any]]:
    """The entries, latest last, which counts where a machine stands under an older name too."""

    def date_of(named: tuple[str, Any]) -> str:
        return str(named[1].get(date, "")) if isinstance(named[1], dict) else ""

    return sorted(_read(path).items(), key=date_of)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        entries = read_json(path)
    except InputError as error:
        raise InputError(f"{error}; damaged: restore it from version control") from None
    if not isinstance(entries, dict):
        raise InputError(f"{path}: damaged (not a table of machines); restore it from version control")
    return entries


def _update(path: Path, machine_id: str, entry: Mapping[str, Any]) -> None:
    """Replace one machine's entry; the file is whole at every moment."""
    entries = {**_read(path), machine_id: entry}
    write_text(path, json.dumps(entries, indent=2, sort_keys=True) + "\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(read_bytes(path)).hexdigest()
