"""One session of the suite: who is measured against whom, what has been measured, and the criteria it makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from voiceperf.call import CallRecording, Turn
from voiceperf.engines import ENGINES
from voiceperf.errors import EngineError, InputError
from voiceperf.history.runs import CONTROL
from voiceperf.judge.criteria import (
    BARS,
    MAX_LOOKS,
    Criterion,
    judge_load,
    judge_reduction,
    judge_worst_text,
)
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import MIN_PAIRS, Finding, Verdict
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Contender, Side, of_profile
from voiceperf.measure.control import Control
from voiceperf.measure.pairs import PairRecorder
from voiceperf.measure.resources import Resources
from voiceperf.profiles import Profile
from voiceperf.suite.examples import Examples
from voiceperf.suite.live_turns import LiveTurns
from voiceperf.suite.quality import Step, silent
from voiceperf.suite.quality_gate import Corpus, Quality, QualityGate
from voiceperf.suite.stability import run_load
from voiceperf.suite.workers import Workers
from voiceperf.suite.workloads import CALL, LLAMA_COLD

BASELINES = ("seed", "fair")  # profiles that a candidate must beat, both
UNLOADED = "unloaded"  # what the load test compares with
_SPOKEN = {
    "kokoro": lambda timing: timing.rtf,
    "kokoro_long": lambda timing: timing.rtf,
    "kokoro_first": lambda timing: timing.ttfa_ms and timing.ttfa_ms / 1e3,
}
"""By criterion the figure of one synthesis."""

CRITERIA = tuple(criterion for criterion in BARS if criterion != "stability")
"""What is judged against each baseline."""


@dataclass(frozen=True)
class Form:
    """How much is measured: the full form proves, the short form only catches what is surely broken."""

    name: str
    rounds: dict[str, int]
    every_turn: bool
    every_nth_recording: int
    load_s: float

    def turns(self, call: CallRecording) -> Sequence[Turn]:
        """All turns, or the first, the middle one and the last."""
        turns = call.turns
        return turns if self.every_turn else [turns[0], turns[len(turns) // 2], turns[-1]][: len(turns)]


DEFAULT_FORM = "short"
FORMS = {
    "full": Form("full", {"whisper": 2, "llama": 6, LLAMA_COLD: 4, "kokoro": 2, CALL: 10}, True, 1, 40.0),
    "short": Form("short", {"whisper": 2, "llama": 4, LLAMA_COLD: 4, "kokoro": 2, CALL: 2}, False, 4, 15.0),
}


@dataclass(frozen=True)
class Plan:
    """What a session is about."""

    call: CallRecording
    baselines: tuple[Profile, ...]
    candidate: Profile
    form: Form
    manifest: Path
    conversations: Path

    def __post_init__(self) -> None:
        if self.candidate.name in (*BASELINES, CONTROL):
            taken = "a baseline's" if self.candidate.name in BASELINES else "the control's"
            raise InputError(f"candidate {self.candidate.name}: that is {taken} name; name another profile or file")

    def contenders(self) -> list[Contender]:
        """Every engine under every profile."""
        return [of_profile(profile, engine) for profile in (*self.baselines, self.candidate) for engine in ENGINES]


class Suite:
    """Measures on demand and remembers every pair."""

    def __init__(self, plan: Plan, step: Step = silent) -> None:
        self.plan = plan
        self.workers = Workers(
            plan.call, [Side(profile.name, profile) for profile in (*plan.baselines, plan.candidate)]
        )
        self._live = LiveTurns(plan.call, {profile.name: profile for profile in (*plan.baselines, plan.candidate)})
        corpus = Corpus(plan.manifest, plan.conversations, plan.form.every_nth_recording)
        self.examples = Examples()
        self.gate = QualityGate(self.workers, plan.candidate.name, corpus, step=step, examples=self.examples)
        self._control = Control()
        self._recorders: dict[tuple[str, str], dict[int, PairRecorder]] = {}
        self._turn: int | None = None  # the one whose processes are alive
        self.criteria: list[Criterion] = []

    @property
    def turns(self) -> Sequence[Turn]:
        return self.plan.form.turns(self.plan.call)

    def partner_of(self, profile: str) -> str:
        """Who stands beside a profile: the candidate beside a baseline, the control beside the candidate."""
        return CONTROL if profile == self.plan.candidate.name else self.plan.candidate.name

    def recorder(self, workload: str, profile: str, turn: Turn) -> PairRecorder:
        """The pairs of one profile in one turn, with both sides warm.

        A baseline's partner is the candidate, the candidate's is the control. Each turn begins with fresh processes:
        how fast one runs is partly luck that lasts as long as it lives, and a session's turns shall not share it.
        """
        if turn.number != self._turn:
            self.workers.close()
            self._live.end()
            self._turn = turn.number
        candidate = self.plan.candidate.name
        by_turn = self._recorders.setdefault((workload, profile), {})
        if turn.number not in by_turn:
            partner = self._control.run if profile == candidate else self._runner(workload, candidate, turn)
            by_turn[turn.number] = PairRecorder(self._runner(workload, profile, turn), partner)
        for side in dict.fromkeys((profile, candidate)):
            if workload == CALL:
                self._live.warm_up(side, turn)
            else:
                self.workers.warm_up(side, workload, turn)
        return by_turn[turn.number]

    def _runner(self, workload: str, profile: str, turn: Turn) -> partial[Timing]:
        if workload == CALL:
            return partial(self._live.run_turn, profile, turn)
        return partial(self.workers.run, profile, workload, turn)

    def account(self, workload: str, profile: str) -> Resources:
        """What the workload's processes have used so far, together."""
        return self._live.account(profile) if workload == CALL else self.workers.account(profile, workload)

    def rounds(self, workload: str) -> int:
        """How many pairs of each turn: the form's, and in a call of few turns enough to be judged at all."""
        return max(self.plan.form.rounds[workload], math.ceil(MIN_PAIRS / len(self.turns)))

    def measure(self, workload: str, profile: str, turn: Turn) -> PairRecorder:
        """The workload's rounds, beside what was measured before."""
        recorder = self.recorder(workload, profile, turn)
        for _ in range(self.rounds(workload)):
            recorder.one_more()
        return recorder

    def judge(self, what: str, baseline: str) -> Criterion:
        """One of the criteria against one baseline; INVALID with the reason where an engine fails.

        Pairs that no benchmark has measured yet are measured now, so that the order and the choice of tests do not
        matter.
        """
        try:
            criterion = self._judge(what, baseline)
        except EngineError as error:
            criterion = _unjudged(what, baseline, error)
        return self._keep(criterion)

    def _keep(self, criterion: Criterion) -> Criterion:
        """Remember a criterion; judged again, it takes the place of its first verdict."""
        name = (criterion.name, criterion.baseline)
        self.criteria = [row for row in self.criteria if (row.name, row.baseline) != name] + [criterion]
        return criterion

    def _judge(self, what: str, baseline: str) -> Criterion:
        """Noisy data leads to more pairs first."""
        workload = "kokoro" if what in _SPOKEN else what
        quality = self.gate.judge(workload, baseline)
        for turn in self.turns:
            recorder = self._recorders.get((workload, baseline), {}).get(turn.number)
            if recorder is None or not recorder.pairs:
                self.measure(workload, baseline, turn)
        criterion = self._look(what, baseline, quality)
        for _ in range(MAX_LOOKS - 1):
            if criterion.speed.verdict is not Verdict.INCONCLUSIVE:
                break
            for turn in self.turns:
                self.measure(workload, baseline, turn)
            criterion = self._look(what, baseline, quality)
        return criterion

    def _look(self, what: str, baseline: str, quality: Quality) -> Criterion:
        if what in _SPOKEN:
            turns = self.turns if what == "kokoro" else self._longer_half()
            values = {turn.number: self._spoken(turn, _SPOKEN[what]) for turn in turns}
            figure, speed = judge_worst_text(BARS[what], values)
        else:
            figure, speed = judge_reduction(BARS[what], self._times(what, baseline))
        return _criterion(what, baseline, figure, speed, quality)

    def _longer_half(self) -> Sequence[Turn]:
        """The turns with the longer replies."""
        by_length = sorted(self.turns, key=lambda turn: len(turn.reply))
        return by_length[len(by_length) // 2 :]

    def _times(self, workload: str, baseline: str) -> dict[int, list[tuple[float, float]]]:
        measured = self._recorders.get((workload, baseline), {})
        return {
            turn.number: [(pair.subject.wall_ns, pair.partner.wall_ns) for pair in measured[turn.number].pairs]
            if turn.number in measured
            else []
            for turn in self.turns
        }

    def _spoken(self, turn: Turn, figure_of: Callable[[Timing], float | None]) -> list[float]:
        """A figure of every time the candidate spoke one text, whoever it was paired with."""
        found = []
        for (workload, profile), by_turn in self._recorders.items():
            if workload != "kokoro" or turn.number not in by_turn:
                continue
            is_candidate = profile == self.plan.candidate.name
            timings = [pair.subject if is_candidate else pair.partner for pair in by_turn[turn.number].pairs]
            found += [value for value in map(figure_of, timings) if value is not None]
        return found

    def judge_stability(self) -> Criterion:
        """The candidate's engines at once."""
        try:
            criterion = self._judge_stability()
        except EngineError as error:
            criterion = _unjudged("stability", UNLOADED, error)
        return self._keep(criterion)

    def _judge_stability(self) -> Criterion:
        load = run_load(self.workers, self.plan.candidate.name, self.turns, self.plan.form.load_s)
        speed, quality = judge_load(load)
        text = f"{len(load.errors)} errors, {len(load.changed_outputs)} changed in {load.runs} runs"
        if load.rss_bytes is not None:
            text += f", RSS {load.rss_bytes / 2**20:.0f} MiB, {load.rss_growth:+.1%}"
        return _criterion("stability", UNLOADED, None, speed, Quality(quality, text))

    def unfit(self) -> bool:
        """Whether the candidate lost quality, or did not bear load."""
        stability = BARS["stability"]
        return any(
            criterion.quality.verdict is Verdict.FAIL
            or (criterion.bar is stability and criterion.verdict is Verdict.FAIL)
            for criterion in self.criteria
        )

    def as_record(self) -> dict[str, Any]:
        """What a saved run keeps of the session, beside its benchmarks."""
        return {
            "form": self.plan.form.name,
            "call": self.plan.call.digest(),
            "corpus": self.gate.corpus.digest(),
            "candidate": self.plan.candidate.name,
            "control_s": self._control_s(),
            "criteria": [criterion.as_record() for criterion in self.criteria],
            "heard": self.gate.scores,
            "perplexity": self.gate.perplexity,
            "stages_ms": self._live.stages_ms,
            "examples": self.examples.texts,
        }

    def _control_s(self) -> float | None:
        """The control's median time over the session; None before it has run."""
        candidate = self.plan.candidate.name
        own = [by_turn for (_, profile), by_turn in self._recorders.items() if profile == candidate]
        times = [pair.partner.wall_ns for by_turn in own for recorder in by_turn.values() for pair in recorder.pairs]
        return median(times) / 1e9 if times else None

    def close(self) -> None:
        self.workers.close()
        self._live.close()


def _criterion(what: str, baseline: str, figure: Interval | None, speed: Finding, quality: Quality) -> Criterion:
    return Criterion(BARS[what], baseline, figure, speed, quality.finding, quality.text)


def _unjudged(what: str, baseline: str, error: EngineError) -> Criterion:
    """A row all the same: what could not be judged must not look as if nobody had asked."""
    failed = Finding(Verdict.INVALID, str(error))
    return _criterion(what, baseline, None, failed, Quality(failed, "not judged"))
