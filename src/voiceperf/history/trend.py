"""One benchmark over the saved runs of one machine: its normalised times, and where their level has shifted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, geometric_mean, median
from typing import Any

from voiceperf.history.compare import differences
from voiceperf.history.runs import CONTROL, Run
from voiceperf.judge.changepoints import change_points


@dataclass(frozen=True)
class Point:
    """A benchmark in one run. `normalised` is its time over the control workload's in the same run."""

    run: Run
    median_s: float
    normalised: float | None


@dataclass(frozen=True)
class Shift:
    """A new level that begins with a run, and what is different there from the run before."""

    run: Run
    ratio: float
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Trend:
    """The points in the order of time."""

    benchmark: str
    machine_id: str | None
    points: tuple[Point, ...]

    @property
    def is_normalised(self) -> bool:
        return all(point.normalised is not None for point in self.points)

    @property
    def levels(self) -> list[float]:
        """Normalised times where every run has a control, else seconds."""
        if self.is_normalised:
            return [point.normalised for point in self.points if point.normalised is not None]
        return [point.median_s for point in self.points]

    def shifts(self) -> list[Shift]:
        """Every change point, with the commit and the libraries that are new there."""
        levels = self.levels
        starts = [0, *change_points(levels), len(levels)]
        found = []
        for before, start, end in zip(starts, starts[1:], starts[2:], strict=False):
            ratio = fmean(levels[start:end]) / fmean(levels[before:start])
            runs = [self.points[start - 1].run, self.points[start].run]
            changed = differences(runs[0].fingerprint, runs[1].fingerprint)
            found.append(Shift(runs[1], ratio, tuple(changed)))
        return found

    def as_record(self) -> dict[str, Any]:
        """Plain values, for `--json`."""
        return {
            "benchmark": self.benchmark,
            "machine_id": self.machine_id,
            "runs": [
                {
                    "run": point.run.source,
                    "date": point.run.date,
                    "commit": point.run.commit,
                    "median_s": point.median_s,
                    "normalised": point.normalised,
                }
                for point in self.points
            ],
            "shifts": [
                {"run": s.run.source, "commit": s.run.commit, "ratio": s.ratio, "changed": list(s.changed)}
                for s in self.shifts()
            ],
        }


def trends(runs: Iterable[Run], containing: str = "") -> list[Trend]:
    """Every benchmark whose name contains a text, by machine, in the order of first appearance.

    A benchmark is known by its name, so that one whose file has moved is one trend, called as it is now. Where a run
    has a name twice, in two files, the files tell them apart.
    """
    runs = list(runs)
    twice = {name for run in runs for name, count in Counter(b.name for b in run.benchmarks).items() if count > 1}
    points: dict[tuple[str, str | None], list[Point]] = {}
    titles: dict[tuple[str, str | None], str] = {}
    for run in runs:
        for benchmark in run.benchmarks:
            if containing in benchmark.fullname:
                normalised = benchmark.median_s / run.control_s if run.control_s else None
                key = (benchmark.fullname if benchmark.name in twice else benchmark.name, run.machine_id)
                points.setdefault(key, []).append(Point(run, benchmark.median_s, normalised))
                titles[key] = benchmark.fullname
    return [Trend(titles[key], key[1], tuple(found)) for key, found in points.items()]


def workload_trends(runs: Iterable[Run], like: Run) -> list[Trend]:
    """Each workload of the candidate, the turns' geometric mean, over the runs that measured what one run did."""
    points: dict[str, list[Point]] = {}
    wanted = _candidate_times(like)
    for run in (run for run in runs if _measured_on(run) == _measured_on(like)):
        for workload, by_turn in _candidate_times(run).items():
            if by_turn.keys() == wanted.get(workload, {}).keys():
                level = geometric_mean(by_turn.values())
                normalised = level / run.control_s if run.control_s else None
                points.setdefault(workload, []).append(Point(run, level, normalised))
    return [Trend(workload, like.machine_id, tuple(found)) for workload, found in points.items()]


def _measured_on(run: Run) -> tuple[Any, ...]:
    return run.machine_id, *(run.record.get(what) for what in ("form", "call", "candidate"))


def _candidate_times(run: Run) -> dict[str, dict[int, float]]:
    """By workload and turn the candidate's median, in seconds, of what the pairs compare.

    pytest-benchmark's own median is of the whole run; a whole turn is compared by its first sound.
    """
    found: dict[str, dict[int, float]] = {}
    for extra in (benchmark.extra for benchmark in run.benchmarks):
        if extra.get("partner") == CONTROL and extra.get("pairs_wall_ns"):
            median_ns = median(own for own, _ in extra["pairs_wall_ns"])
            found.setdefault(extra["workload"], {})[extra["turn"]] = median_ns / 1e9
    return found
