"""A run beside the accepted one: alarm or no alarm, the same for `pytest --voiceperf-gate` and `voiceperf compare`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from voiceperf.history.ledger import read_noise
from voiceperf.history.runs import CONTROL, Run, read_all
from voiceperf.judge.noise import Noise, noise_of, of_one_sitting
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
                    "least_seen": row.least_seen,
                    "verdict": row.finding.verdict,
                    "reason": row.finding.reason,
                }
                for row in self.rows
            ],
        }


def compare_runs(accepted: Run, now: Run, storage: Path) -> Comparison:
    """Judge `now` against `accepted`, with what the machine's other runs show of its noise."""
    reason = _incomparable(accepted, now)
    if _is_one_run(accepted, now):
        rows = [Row("the two runs", None, None, Finding(Verdict.PASS, "the same measurements: no change"))]
    elif reason:
        rows = [Row("the two runs", None, None, Finding(Verdict.INVALID, reason))]
    else:
        rows = judge_runs(accepted.data, now.data, _known_noise(now, storage))
        rows = [_without_control(row) for row in rows] if _numpy_differs(accepted, now) else rows
    changed = differences(accepted.fingerprint, now.fingerprint)
    if "settings" in accepted.record:  # older runs do not say
        changed += differences(accepted.record["settings"], now.record.get("settings", {}))
    changed += _loosened(accepted, now)
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


def _known_noise(now: Run, storage: Path) -> dict[str, list[Noise]]:
    """By series, what identical engines have shown here: in saved runs like this one, and when it was calibrated."""
    known: dict[str, list[Noise]] = {name: [of_one_sitting(one)] for name, one in read_noise(storage, now).items()}
    for runs in _of_identical_engines(run for run in read_all(storage)[0] if _is_like(run, now)):
        for name in now.data.series:
            held = [run.data.series[name].times for run in runs if name in run.data.series]
            found = noise_of(held)
            known.setdefault(name, []).extend([found] if found else [])
    return known


def _is_like(run: Run, now: Run) -> bool:
    """Whether another run has measured the same on the same machine."""
    same = all(run.record.get(what) == now.record.get(what) for what in ("form", "call", "candidate"))
    return same and run.machine_id == now.machine_id and run.data != now.data


def _of_identical_engines(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs in groups of which nothing tells apart what was measured: libraries, models, settings, voiceperf's engines.

    A run of before these were saved is left out: what changed between it and the next is not known.
    """
    groups: dict[str, list[Run]] = defaultdict(list)
    for run in runs:
        if "settings" in run.record:
            groups[repr((run.fingerprint.get("id"), sorted(run.record["settings"].items())))].append(run)
    return list(groups.values())


def _incomparable(accepted: Run, now: Run) -> str | None:
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
    return None


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
