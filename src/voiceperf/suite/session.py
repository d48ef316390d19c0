"""What one session has measured, in the shape of a saved run, so that the gate reads both alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from voiceperf.history.runs import Run, parse_run
from voiceperf.suite.suite import Taken

THIS = "this session"


@dataclass(frozen=True)
class Measured:
    """One benchmark of the session: one side of one turn's work, and what it is held against."""

    fullname: str
    extra: dict[str, Any]
    taken: Taken

    def complete(self) -> None:
        """Put every pair into `extra`, also those that a criterion asked for after the benchmark was done."""
        profile, partner = self.extra["profile"], self.extra["partner"]
        self.extra["pairs_wall_ns"] = self.taken.pairs(profile, partner)
        self.extra["subject"] = [timing.as_record() for timing in self.taken.of(profile)]

    def as_benchmark(self) -> dict[str, Any]:
        """As pytest-benchmark would save it."""
        self.complete()
        name = self.fullname.rpartition("::")[2]
        median_s = median(self.taken.over_control_s(self.extra["profile"]))
        return {"fullname": self.fullname, "name": name, "stats": {"median": median_s}, "extra_info": self.extra}


def run_of_session(
    measured: list[Measured], record: Mapping[str, Any], fingerprint: Mapping[str, Any], date: str
) -> Run:
    """The session as a run; benchmarks that were skipped, deselected or not timed are not in it."""
    document = {
        "benchmarks": [benchmark.as_benchmark() for benchmark in measured],
        "voiceperf": record,
        "machine_info": {"voiceperf": fingerprint},
        "datetime": date,
    }
    return parse_run(document, THIS)
