"""What one session has measured, in the shape of a saved run, so that the gate reads both alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from voiceperf.history.runs import Run, parse_run
from voiceperf.measure.pairs import PairRecorder

THIS = "this session"


@dataclass(frozen=True)
class Measured:
    """One benchmark of the session: what is saved beside its times, and where its pairs are."""

    fullname: str
    extra: dict[str, Any]
    recorder: PairRecorder

    def complete(self) -> None:
        """Put every pair into `extra`, also those that a criterion asked for after the benchmark was done."""
        pairs = self.recorder.pairs
        self.extra["pairs_wall_ns"] = [(pair.subject.wall_ns, pair.partner.wall_ns) for pair in pairs]
        self.extra["subject"] = [pair.subject.as_record() for pair in pairs]

    def as_benchmark(self) -> dict[str, Any]:
        """As pytest-benchmark would save it."""
        self.complete()
        median_s = median(pair.subject.wall_ns for pair in self.recorder.pairs) / 1e9
        name = self.fullname.rpartition("::")[2]
        return {"fullname": self.fullname, "name": name, "stats": {"median": median_s}, "extra_info": self.extra}


def run_of_session(
    measured: list[Measured], record: Mapping[str, Any], fingerprint: Mapping[str, Any], date: str
) -> Run:
    """The session as a run; benchmarks that were skipped, deselected or not timed are not in it."""
    document = {
        "benchmarks": [benchmark.as_benchmark() for benchmark in measured if benchmark.recorder.pairs],
        "voiceperf": record,
        "machine_info": {"voiceperf": fingerprint},
        "datetime": date,
    }
    return parse_run(document, THIS)
