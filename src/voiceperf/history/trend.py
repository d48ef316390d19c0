"""Work over the saved runs of one machine: its time over the control's, and where that level has shifted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean, geometric_mean, median
from typing import Any

from voiceperf.history.compare import differences
from voiceperf.history.runs import CONTROL, Benchmark, Run
from voiceperf.judge.changepoints import change_points
from voiceperf.judge.statistics import PairsByInput, ratio_interval


@dataclass(frozen=True)
class Point:
    """Some work in one run. `normalised` is its time over the control's, pair by pair where there are pairs."""

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
    """The points in the order of time. Of `among` trends listed together, the more, the surer a shift must be."""

    benchmark: str
    machine_id: str | None
    points: tuple[Point, ...]
    among: int = 1

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
        starts = [0, *change_points(levels, self.among), len(levels)]
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

    A benchmark of the suite is known by workload, profile and turn, another by its name, so that one whose file has
    moved is one trend. Where a run has the same twice, in two files, the files tell them apart.
    """
    runs = list(runs)
    twice = {name for run in runs for name, count in Counter(map(_name, run.benchmarks)).items() if count > 1}
    points: dict[tuple[str, str | None], list[Point]] = {}
    titles: dict[tuple[str, str | None], str] = {}
    for run in runs:
        for benchmark in run.benchmarks:
            name = _name(benchmark)
            if containing in name or containing in benchmark.fullname:
                key = (benchmark.fullname if name in twice else name, run.machine_id)
                points.setdefault(key, []).append(_point(run, benchmark))
                titles[key] = name if _is_ours(benchmark) and name not in twice else benchmark.fullname
    return [Trend(titles[key], key[1], tuple(found), len(points)) for key, found in points.items()]


def workload_trends(runs: Iterable[Run], like: Run | None = None) -> list[Trend]:
    """Each workload of a candidate: the pairs' ratio to the control, every turn counting the same.

    Args:
        runs: in the order of time.
        like: only runs that measured what this one did; without it those of every machine, form, call and candidate,
            each in a trend of its own.
    """
    points: dict[tuple[Any, ...], list[Point]] = {}
    wanted = {} if like is None else {workload: set(times) for workload, times in _own_series(like).items()}
    for run in runs:
        for workload, times in _own_series(run).items():
            if like is None or (_measured_on(run), set(times)) == (_measured_on(like), wanted.get(workload)):
                key = (workload, *_measured_on(run), frozenset(times))
                seconds = geometric_mean(median(own for _, own in pairs) for pairs in times.values()) / 1e9
                points.setdefault(key, []).append(Point(run, seconds, _ratio(times)))
    titles = {key: _titles(key) for key in points}
    shared = Counter((title, key[1]) for key, both in titles.items() for title in both)
    return [
        Trend(
            next((title for title in titles[key] if shared[title, key[1]] == 1), titles[key][-1]),
            key[1],
            tuple(found),
            len(points),
        )
        for key, found in points.items()
    ]


def _titles(key: tuple[Any, ...]) -> list[str]:
    """A trend's titles, each saying more than the one before: the first that no other has on its machine is taken."""
    workload, _, form, call, candidate, turns = key
    of_call = f"call {str(call)[:8]}, turns {' '.join(map(str, sorted(turns, key=str)))}"
    return [workload, f"{workload} ({candidate}, {form})", f"{workload} ({candidate}, {form}, {of_call})"]


def _is_ours(benchmark: Benchmark) -> bool:
    return {"workload", "profile", "turn"} <= set(benchmark.extra)


def _name(benchmark: Benchmark) -> str:
    extra = benchmark.extra
    if not _is_ours(benchmark):
        return benchmark.name
    return f"{extra['workload']}: {extra['profile']}, turn {extra['turn']}"


def _point(run: Run, benchmark: Benchmark) -> Point:
    """What the criteria compare of it: pairs with the control where it has them, else its median over the control's."""
    pairs = benchmark.extra.get("pairs_wall_ns")
    if _is_ours(benchmark) and benchmark.extra.get("partner") == CONTROL and pairs:
        swapped = [(control, own) for own, control in pairs]
        return Point(run, median(own for own, _ in pairs) / 1e9, _ratio({0: swapped}))
    return Point(run, benchmark.median_s, benchmark.median_s / run.control_s if run.control_s else None)


def _own_series(run: Run) -> dict[str, PairsByInput]:
    """By workload the candidate's (control, own) times."""
    candidate = str(run.record.get("candidate", ""))
    ends = f": {candidate} / {CONTROL}"
    return {name.removesuffix(ends): one.times for name, one in run.data.series.items() if name.endswith(ends)}


def _ratio(times: PairsByInput) -> float | None:
    found = ratio_interval(times)
    return found.estimate if found else None


def _measured_on(run: Run) -> tuple[Any, ...]:
    return run.machine_id, *(run.record.get(what) for what in ("form", "call", "candidate"))
