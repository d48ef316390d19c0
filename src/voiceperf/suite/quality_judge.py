"""One engine's quality under any profile beside a baseline's, whatever the profile is called and however it fails."""

from __future__ import annotations

from typing import Any

from voiceperf.call import CallRecording
from voiceperf.errors import EngineError, ParameterError
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.contender import Side, of_profile
from voiceperf.profiles import Profile
from voiceperf.suite.outputs import Outputs
from voiceperf.suite.quality import Step, silent
from voiceperf.suite.quality_gate import Corpus, Quality, QualityGate
from voiceperf.suite.workers import Workers

CANDIDATE = "candidate"  # what the profile is called beside its baseline, whose name it may have


class QualityJudge:
    """One baseline, and every profile that is held against it; what decides no output is judged once."""

    def __init__(
        self,
        call: CallRecording,
        corpus: Corpus,
        baseline: Profile,
        step: Step = silent,
        outputs: Outputs | None = None,
    ) -> None:
        self._call, self._corpus, self._baseline, self._step = call, corpus, baseline, step
        self._outputs = {} if outputs is None else outputs  # judges may share them
        self._judged: dict[Any, Quality] = {}

    def judge(self, profile: Profile, engine: str) -> Quality:
        """The engine's quality; a FAIL with the reason where it does not run."""
        try:
            key = (engine, of_profile(profile, engine).outcome())
            if key not in self._judged:
                self._judged[key] = self._judge(profile, engine)
            return self._judged[key]
        except (EngineError, ParameterError) as error:
            return Quality(Finding(Verdict.FAIL, str(error)), "does not run")

    def _judge(self, profile: Profile, engine: str) -> Quality:
        workers = self.workers(profile)
        try:
            gate = QualityGate(workers, CANDIDATE, self._corpus, step=self._step, outputs=self._outputs)
            return gate.judge(engine, self._baseline.name)
        finally:
            workers.close()

    def workers(self, profile: Profile) -> Workers:
        """The profile's processes, by the name CANDIDATE, and the baseline's by its own."""
        return Workers(self._call, [Side(CANDIDATE, profile), Side(self._baseline.name, self._baseline)])
