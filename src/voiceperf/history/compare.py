"""A run held against the accepted one: the same verdict for `pytest --voiceperf-gate` and `voiceperf compare`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voiceperf.history.ledger import read_noise
from voiceperf.history.runs import CONTROL, Run
from voiceperf.judge.runs import Row, judge_runs
from voiceperf.judge.verdict import Finding, Verdict, applicable, worst


@dataclass(frozen=True)
class Comparison:
    """Every row, what is different about machine and libraries, and the verdict of all."""

    accepted: Run
    now: Run
    rows: tuple[Row, ...]
    changed: tuple[str, ...]

    @property
    def finding(self) -> Finding:
        return worst(applicable(row.finding for row in self.rows))

    def as_record(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return {
            "accepted": self.accepted.source,
            "now": self.now.source,
            "changed": list(self.changed),
            "verdict": self.finding.verdict,
            "reason": self.finding.reason,
            "rows": [
                {
                    "name": row.name,
                    "change": row.change and [row.change.low, row.change.estimate, row.change.high],
                    "max_slowdown": row.max_slowdown,
                    "verdict": row.finding.verdict,
                    "reason": row.finding.reason,
                }
                for row in self.rows
            ],
        }


def compare_runs(accepted: Run, now: Run, storage: Path) -> Comparison:
    """Judge `now` against `accepted`, with the noise that is known of the machine."""
    reason = _incomparable(accepted, now, storage)
    if _is_one_run(accepted, now):
        rows = [Row("the two runs", None, None, Finding(Verdict.PASS, "the same measurements: no change"))]
    elif reason:
        rows = [Row("the two runs", None, None, Finding(Verdict.INVALID, reason))]
    else:
        rows = judge_runs(accepted.data, now.data, read_noise(storage, now.machine_id).series)
        rows = [_without_control(row) for row in rows] if _numpy_differs(accepted, now) else rows
    changed = [*differences(accepted.fingerprint, now.fingerprint), *_loosened(accepted, now)]
    return Comparison(accepted, now, tuple(rows), tuple(changed))


def _is_one_run(accepted: Run, now: Run) -> bool:
    """Whether both hold the very same measurements: then nothing has changed, whatever is known of the noise."""
    return bool(now.data.series) and all(
        getattr(accepted, what) == getattr(now, what) for what in ("source", "data", "record", "fingerprint")
    )


def _numpy_differs(accepted: Run, now: Run) -> bool:
    return len({run.fingerprint.get("libraries", {}).get("numpy") for run in (accepted, now)}) > 1


def _without_control(row: Row) -> Row:
    """The control is NumPy's work: with another NumPy, times over it mean something else."""
    if not row.name.endswith(f"/ {CONTROL}"):
        return row
    reason = "NumPy has changed, and the control with it; use voiceperf compare --baseline-python, then accept anew"
    return replace(row, change=None, finding=Finding(Verdict.INVALID, reason))


def _loosened(accepted: Run, now: Run) -> list[str]:
    """Thresholds that have changed since: whoever reads the verdict should know."""
    before, after = ({name: s.max_slowdown for name, s in run.data.series.items()} for run in (accepted, now))
    changed = [name for name in before if name in after and before[name] != after[name]]
    return [f"threshold of {name} {_share(before[name])} -> {_share(after[name])}" for name in changed]


def _share(threshold: float | None) -> str:
    return "default" if threshold is None else f"{threshold:.0%}"


def _incomparable(accepted: Run, now: Run, storage: Path) -> str | None:
    for run in (accepted, now):
        if run.machine_id is None:
            return f"{run.source} does not say on which machine; save one with this version of voiceperf"
    if accepted.machine_id != now.machine_id:
        return f"measured on different machines ({accepted.machine_id} and {now.machine_id}): times cannot be compared"
    forms = [run.record.get("form") for run in (accepted, now)]
    if forms[0] != forms[1]:
        return f"the accepted run is of the {forms[0]} form, this one of the {forms[1]}"
    for name in ("call", "corpus"):
        if accepted.record.get(name) != now.record.get(name):
            return f"the {name} is not the accepted run's: texts or sounds have changed; accept a run with the new one"
    return read_noise(storage, now.machine_id).misfit(now.record)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What two fingerprints do not share, in words: a library's versions, a model's hash, a kernel."""
    found = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old == new or key in ("id", "machine_id") or (key == "kernel" and old is None):
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
            found += [f"{name} {_short(old.get(name))} -> {_short(new.get(name))}" for name in names]
        else:
            found.append(f"{key} {_short(old)} -> {_short(new)}")
    return found


def _short(value: Any) -> str:
    return "none" if value is None else str(value)[:40] if len(str(value)) < 64 else str(value)[:8]
