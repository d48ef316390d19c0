"""Saved runs, in the JSON of pytest-benchmark 4 and 5. They are read, and never written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from voiceperf import machine
from voiceperf.errors import InputError
from voiceperf.files import read_json, shown
from voiceperf.history.formerly import bar_of, renamed_extra, renamed_record, renamed_test
from voiceperf.judge.runs import RunData, Scored, Series
from voiceperf.judge.verdict import Finding, Verdict, worst

STORAGE = Path(".benchmarks")
CONTROL = "control"  # the partner of a candidate's own benchmarks
NORMALISED_TO = "control_nominal_s"  # in `extra` where pytest-benchmark's own figures are times over the control's


@dataclass(frozen=True)
class Benchmark:
    """One benchmark of a run, its median by the clock; `extra` is what the test has put beside its times."""

    fullname: str
    name: str
    median_s: float
    extra: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """One session's benchmarks, where and on what they were measured."""

    source: str
    date: str
    commit: str
    dirty: bool
    fingerprint: Mapping[str, Any]
    benchmarks: tuple[Benchmark, ...]
    record: Mapping[str, Any]
    data: RunData
    problems: tuple[str, ...] = ()  # benchmarks that were left out, with the reason

    @property
    def machine_id(self) -> str | None:
        """The machine's name, by what the run says of it."""
        found: str | None = self.fingerprint.get("machine_id")
        return machine.identity(self.fingerprint) or found

    @property
    def control_s(self) -> float | None:
        """What the control workload took in this run: the unit of normalised times."""
        found = self.record.get("control_s")
        return float(found) if found is not None else None


def _series(benchmarks: tuple[Benchmark, ...]) -> dict[str, Series]:
    """Benchmarks that differ only in the turn are one series; a candidate's time is held against its partner's."""
    times: dict[str, dict[int, list[tuple[float, float]]]] = {}
    bounds: dict[str, list[float]] = {}
    for extra in (benchmark.extra for benchmark in benchmarks):
        if not {"workload", "profile", "partner", "turn", "pairs_wall_ns"} <= set(extra):
            continue
        own = extra["partner"] == CONTROL
        name = series_name(extra["workload"], extra["profile"], extra["partner"])
        pairs = [(partner, subject) if own else (subject, partner) for subject, partner in extra["pairs_wall_ns"]]
        if not pairs or not all(0 < time < math.inf for pair in pairs for time in pair):
            raise ValueError(f"pairs_wall_ns of {extra['workload']}, turn {extra['turn']}: a time is not above zero")
        times.setdefault(name, {})[extra["turn"]] = pairs
        bounds.setdefault(name, []).extend([float(extra["max_slowdown"])] if "max_slowdown" in extra else [])
    return {name: Series(by_turn, min(bounds[name], default=None)) for name, by_turn in times.items()}


def series_name(workload: str, profile: str, partner: str) -> str:
    """What a series is called in tables, histories and the calibration: the candidate, and what it is held against."""
    return f"{workload}: {profile} / control" if partner == CONTROL else f"{workload}: {partner} / {profile}"


def _criteria(record: Mapping[str, Any]) -> dict[str, Finding]:
    """Each criterion's quality; of one without a baseline, which older runs have beside each, the worst."""
    found: dict[str, list[Finding]] = {}
    for row in (row for row in _rows(record) if "quality_verdict" in row):
        finding = Finding(Verdict(row["quality_verdict"]), row["quality_reason"])
        found.setdefault(_title(row["criterion"], row["baseline"]), []).append(finding)
    return {title: worst(findings) for title, findings in found.items()}


def _rows(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A run's criteria, each with what whoever reads the record relies on."""
    rows: list[Mapping[str, Any]] = record.get("criteria", [])
    for row in rows:
        for name in ("criterion", "baseline", "verdict", "reason"):
            if not isinstance(row[name], str):
                raise TypeError(f"a criterion's {name} is no text")
    return rows


def _title(criterion: str, baseline: str) -> str:
    bar = bar_of(criterion)
    return bar.beside(baseline) if bar else f"{criterion} against {baseline}"


def _heard(record: Mapping[str, Any]) -> dict[str, dict[str, Scored]]:
    roles: Mapping[str, Mapping[str, Any]] = record.get("heard", {})
    return {
        role: {utterance: Scored.from_record(score) for utterance, score in scores.items()}
        for role, scores in roles.items()
    }


def parse_run(document: Any, source: str) -> Run:
    """A run out of pytest-benchmark's document.

    Raises:
        InputError: names the source and what is wrong with it.
    """
    try:
        commit = document.get("commit_info") or {}
        info = document.get("machine_info") or {}
        saved = document.get("voiceperf") or {}
        record = renamed_record(saved)
        facts = machine.with_kernel_apart(info.get("voiceperf") or {})
        _require_kinds(record, "voiceperf", form=str, call=str, corpus=str, candidate=str, settings=dict)
        _require_kinds(facts, "machine_info.voiceperf", id=str, machine_id=str, libraries=dict, models_sha256=dict)
        if not 0 < float(record.get("control_s") or 1.0) < math.inf:
            raise ValueError("control_s is no time")
        found = [_benchmark(source, one, saved) for one in document["benchmarks"]]
        benchmarks = tuple(one for one in found if isinstance(one, Benchmark))
        return Run(
            source=source,
            date=str(document.get("datetime", "")),
            commit=str(commit.get("id") or "unversioned"),
            dirty=bool(commit.get("dirty")),
            fingerprint=facts,
            benchmarks=benchmarks,
            record=record,
            problems=tuple(one for one in found if isinstance(one, str)),
            data=RunData(_series(benchmarks), _criteria(record), _heard(record), record.get("perplexity")),
        )
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{source}: not a run of pytest-benchmark ({type(error).__name__}: {error})") from None


def _require_kinds(facts: Mapping[str, Any], where: str, **kinds: type) -> None:
    """What readers rely on, where it is there at all."""
    for name, kind in kinds.items():
        if not isinstance(facts.get(name), kind | None):
            raise TypeError(f"{where}.{name} is no {kind.__name__}")


def _benchmark(source: str, one: Mapping[str, Any], saved: Mapping[str, Any]) -> Benchmark | str:
    """One benchmark of what was saved, or why it is none; it then takes nothing from the others of its run."""
    fullname, name = one["fullname"], one["name"]
    if not isinstance(fullname, str) or not isinstance(name, str):
        raise TypeError("a benchmark's name is no text")
    was = one.get("extra_info") or {}
    extra = renamed_extra(was, saved)
    name, fullname = (renamed_test(text, was, extra) for text in (name, fullname))
    median_s = _by_the_clock_s(extra) if NORMALISED_TO in extra else float(one["stats"]["median"])
    if not 0 < median_s < math.inf:
        return f"{source}: {fullname}: a median of {median_s:g} s is no time; it is left out"
    return Benchmark(fullname, name, median_s, extra)


def _by_the_clock_s(extra: Mapping[str, Any]) -> float:
    return float(median(timing["wall_ms"] for timing in extra["subject"])) / 1e3


def read_run(path: Path) -> Run:
    """Read one saved run.

    Raises:
        InputError: the file is missing, damaged, or no run.
    """
    if not path.exists():
        raise InputError(f"{shown(path)}: no such run; see: voiceperf history")
    try:
        document = read_json(path, "saved run")
    except InputError as error:
        raise InputError(f"{error}; damaged: it was left as it is") from None
    return parse_run(document, shown(path.name))


def latest_run(storage: Path, machine_id: str) -> Path:
    """The run that was saved last on a machine.

    Raises:
        InputError: none was.
    """
    found = {path: run for path in run_files(storage) if (run := _readable(path)) and run.machine_id == machine_id}
    if not found:
        raise InputError(f"{storage}: no run of this machine ({machine_id}); save one with: voiceperf bench")
    return max(found, key=lambda path: found[path].date)


def _readable(path: Path) -> Run | None:
    try:
        return read_run(path)
    except InputError:
        return None


def find_run(storage: Path, name: str, machine_id: str | None = None) -> Path:
    """A saved run by its path, or by how its file name begins, such as 0003; with a machine, only one of it by that.

    Raises:
        InputError: none, or more than one.
    """
    if not name:
        raise InputError("the name of a run is empty; see: voiceperf history")
    if Path(name).is_file():
        return Path(name)
    named = [path for path in run_files(storage) if path.name.startswith(name)]
    found = [path for path in named if machine_id is None or _may_be_of(path, machine_id)]
    if len(found) == 1:
        return found[0]
    if found:
        raise InputError(f"{name}: {len(found)} runs in {storage} begin so; name one of them whole")
    if named:
        raise InputError(f"{name}: a run of another machine; this one is {machine_id}. If it is meant, name its file")
    raise InputError(f"{name}: no such run in {storage}; see: voiceperf history")


def _may_be_of(path: Path, machine_id: str) -> bool:
    """A file that cannot be read is not ruled out: whoever reads it next says what is wrong with it."""
    run = _readable(path)
    return run is None or run.machine_id == machine_id


def run_files(storage: Path) -> list[Path]:
    """The saved runs of every platform under a storage folder, oldest first as they are numbered."""
    return sorted(storage.glob("*/[0-9]*.json"), key=lambda path: (path.name.split("_")[0], path.name))


def read_all(storage: Path) -> tuple[list[Run], list[str]]:
    """Every run that can be read, by date, and a line for each file that cannot."""
    runs: list[Run] = []
    problems: list[str] = []
    for path in run_files(storage):
        try:
            runs.append(read_run(path))
            problems += runs[-1].problems
        except InputError as error:
            problems.append(str(error))
    return sorted(runs, key=lambda run: run.date), problems
