"""Is the new one as good? For each role a duel of speed, and the quality of both sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from voiceperf.call import CallRecording
from voiceperf.errors import EngineError
from voiceperf.judge.regression import Change
from voiceperf.judge.verdict import Finding, Verdict, worst
from voiceperf.log import Progress, silent
from voiceperf.measure.contender import Side
from voiceperf.quality.corpus import Corpus
from voiceperf.quality.gate import Quality, QualityGate
from voiceperf.suite.duel import Duel, Experiment, Rules, Watch, run_duel, unwatched
from voiceperf.suite.workloads import duel_requests

NOT_MEASURED = Experiment(Change.UNCLEAR, None, 0, {})


@dataclass(frozen=True)
class Judged:
    """One role's duel with the quality beside it."""

    duel: Duel
    quality: Quality

    @property
    def finding(self) -> Finding:
        return worst([self.duel.finding, self.quality.finding])

    def as_record(self) -> dict[str, Any]:
        """Plain values, every pair included."""
        return {
            **self.duel.as_record(),
            "quality": self.quality.text,
            "verdict": self.finding.verdict,
            "reason": self.finding.reason,
        }


def judge_upgrade(
    baseline: Side,
    candidate: Side,
    roles: Iterable[str],
    *,
    call: CallRecording,
    corpus: Corpus,
    rules: Rules,
    watch: Watch = unwatched,
    progress: Progress = silent,
) -> Iterator[Judged]:
    """Each role as it is done. While a duel runs, no other worker is alive to disturb it.

    A role whose engine fails is INVALID with its reason, and takes nothing from the others.
    """
    gate = QualityGate(call, corpus, progress=progress)
    for role in roles:
        before, after = baseline.contender(role), candidate.contender(role)
        try:
            duel = run_duel(before, after, duel_requests(call, role), rules, watch)
        except EngineError as error:
            duel = Duel(role, Finding(Verdict.INVALID, str(error)), NOT_MEASURED, None)
        try:
            quality = gate.judge(role, baseline, candidate)
        except EngineError as error:
            quality = Quality(Finding(Verdict.INVALID, str(error)), "not judged")
        yield Judged(duel, quality)
