"""A run held against the accepted one: the same verdict for `pytest --voiceperf-gate` and `voiceperf compare`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voiceperf.history.ledger import read_noise
from voiceperf.history.runs import Run
from voiceperf.judge.runs import Row, judge_runs
from voiceperf.judge.verdict import Finding, Verdict, worst


@dataclass(frozen=True)
class Comparison:
    """Every row, what is different about machine and libraries, and the verdict of all."""

    accepted: Run
    now: Run
    rows: tuple[Row, ...]
    changed: tuple[str, ...]

    @property
    def finding(self) -> Finding:
        return worst(row.finding for row in self.rows)

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
    reason = _incomparable(accepted, now)
    if reason:
        rows = [Row("the two runs", None, None, None, None, Finding(Verdict.INVALID, reason))]
    else:
        rows = judge_runs(accepted.data(), now.data(), read_noise(storage, now.machine_id))
    return Comparison(accepted, now, tuple(rows), tuple(differences(accepted.fingerprint, now.fingerprint)))


def _incomparable(accepted: Run, now: Run) -> str | None:
    for run in (accepted, now):
        if run.machine_id is None:
            return f"{run.source} has no fingerprint; it was not saved by the voiceperf plugin"
    if accepted.machine_id != now.machine_id:
        return f"measured on different machines ({accepted.machine_id} and {now.machine_id}): times cannot be compared"
    forms = [run.record.get("form") for run in (accepted, now)]
    if forms[0] != forms[1]:
        return f"the accepted run is of the {forms[0]} form, this one of the {forms[1]}"
    return None


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What two fingerprints do not share, in words: a library's versions, a model's hash, a kernel."""
    found = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old == new or key in ("id", "machine_id"):
            continue
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            names = [name for name in dict.fromkeys([*old, *new]) if old.get(name) != new.get(name)]
            found += [f"{name} {_short(old.get(name))} -> {_short(new.get(name))}" for name in names]
        else:
            found.append(f"{key} {_short(old)} -> {_short(new)}")
    return found


def _short(value: Any) -> str:
    return "none" if value is None else str(value)[:40] if len(str(value)) < 64 else str(value)[:8]
