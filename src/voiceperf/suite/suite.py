"""One session of the suite: who is measured against whom, what has been measured, and the criteria it makes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

from voiceperf.call import Turn
from voiceperf.errors import InputError, VoicePerfError
from voiceperf.history.formerly import FORMAT, bar_of
from voiceperf.history.runs import CONTROL
from voiceperf.judge.criteria import BARS, MAX_LOOKS, Bar, Criterion, judge_load, judge_reduction, judge_worst_text
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import MIN_PAIRS, Finding, Verdict, worst_verdict
from voiceperf.log import Progress, silent
from voiceperf.measure.blocks import Block, Blocks, Cost, pairs_of, wall_ns
from voiceperf.measure.clock import Timing
from voiceperf.measure.control import NOMINAL_S, Control
from voiceperf.measure.fingerprint import settings
from voiceperf.measure.resources import Usage, usage_between
from voiceperf.quality.corpus import Corpus
from voiceperf.quality.examples import Examples
from voiceperf.quality.gate import Quality, QualityGate
from voiceperf.roles import ROLES
from voiceperf.suite.live_turns import LiveTurns
from voiceperf.suite.plan import Plan
from voiceperf.suite.stability import run_load
from voiceperf.suite.workers import Workers
from voiceperf.suite.workloads import CALL, WORKLOADS, Workload

_CONTROL_RUNS = 5  # before a turn's work, and after: of the few within it one stalled run would be a fifth


@dataclass
class Taken:
    """What one turn's work has shown so far: its blocks, and what each side used for them."""

    blocks: list[Block] = field(default_factory=list)
    control: list[Timing] = field(default_factory=list)  # run before and after the blocks, beside those within
    usage: dict[str, Usage] = field(default_factory=dict)

    def pairs(self, before: str, after: str, cost: Cost = wall_ns) -> list[tuple[float, float]]:
        """Two sides' costs, of every block in which both ran."""
        return pairs_of(self.blocks, before, after, cost)

    def of(self, side: str) -> list[Timing]:
        """One side's runs."""
        return [block[side] for block in self.blocks if side in block]

    def over_control_s(self, side: str) -> list[float]:
        """One side's runs as seconds of a machine on which the control takes its nominal time.

        Of another hour they differ half as much as seconds by the clock (docs/FINDINGS.md, Noise).
        """
        control_ns = median(timing.wall_ns for timing in (*self.of(CONTROL), *self.control))
        return [timing.wall_ns / control_ns * NOMINAL_S for timing in self.of(side)]


class Suite:
    """Measures on demand and remembers every block."""

    def __init__(self, plan: Plan, progress: Progress = silent) -> None:
        self.plan, self._sides = plan, plan.sides()
        corpus = Corpus(plan.manifest, plan.conversations, plan.form.portion, plan.texts)
        self.examples = Examples()
        self.gate = QualityGate(plan.call, corpus, progress=progress, examples=self.examples)
        self._control = Control()
        self._taken: dict[tuple[str, int], Taken | VoicePerfError] = {}
        self.criteria: list[Criterion] = []

    @property
    def turns(self) -> Sequence[Turn]:
        return self.plan.form.turns(self.plan.call)

    def partner_of(self, profile: str) -> str:
        """What a profile is held against: a baseline against the candidate, the candidate against the control."""
        return CONTROL if profile == self.plan.candidate.name else self.plan.candidate.name

    def measure(self, workload: str, turn: Turn) -> Taken:
        """One turn's work on all sides, measured at the first call.

        It is done in fresh processes, which end with it: how fast one runs is partly luck that lasts as long as it
        lives, and a session's turns shall not share it. What the same engines do otherwise is measured along with it.

        Raises:
            VoicePerfError: a side fails, or lacks its model; it is not tried again.
            InputError: there is no such workload.
        """
        if workload not in WORKLOADS:
            raise InputError(f"no workload {workload!r}; there are {', '.join(WORKLOADS)}")
        if (workload, turn.number) not in self._taken:
            roles = WORKLOADS[workload].roles
            alike = [other for other in WORKLOADS.values() if other.roles == roles]
            try:
                self._take(alike, turn)
            except VoicePerfError as error:
                self._taken |= {(other.key, turn.number): error for other in alike}
        taken = self._taken[workload, turn.number]
        if isinstance(taken, VoicePerfError):
            raise taken
        return taken

    def _take(self, workloads: Sequence[Workload], turn: Turn) -> None:
        """Measure more of one turn's work, beside what there is."""
        place = [other.number for other in self.turns].index(turn.number)
        candidate = self.plan.candidate.name
        with self._processes(workloads[0]) as alive:
            control = [self._control.run() for _ in range(_CONTROL_RUNS)]
            for workload in workloads:
                run = {name: partial(alive.run, name, workload.key, turn) for name in self._sides}
                blocks = Blocks({**run, CONTROL: self._control.run}, begin_at=place)
                own = Blocks({candidate: run[candidate], CONTROL: self._control.run}, begin_at=place)
                blocks.warm_up()
                before = {name: alive.account(name, workload.key) for name in self._sides}
                for _ in range(self._rounds(workload)):
                    blocks.one_more()
                usage = {name: usage_between(before[name], alive.account(name, workload.key)) for name in self._sides}
                for _ in range(workload.own_blocks):
                    own.one_more()
                taken = self._taken.setdefault((workload.key, turn.number), Taken())
                assert isinstance(taken, Taken)  # what has failed is not measured again
                taken.blocks += [*blocks.taken, *own.taken]
                control += [self._control.run() for _ in range(_CONTROL_RUNS)]
                taken.control += control
                taken.usage = usage

    def _processes(self, workload: Workload) -> Workers | LiveTurns:
        """Of all sides, fresh, for one kind of work."""
        if workload.key == CALL:
            return LiveTurns(self.plan.call, self._sides)
        return Workers(self.plan.call, self._sides, workload.roles)

    def _rounds(self, workload: Workload) -> int:
        """How many blocks of each turn: the form's, and in a call of few turns enough to be judged at all."""
        return max(workload.blocks[self.plan.form.name], math.ceil(MIN_PAIRS / len(self.turns)))

    def judge(self, key: str, baseline: str = "") -> Criterion:
        """A criterion's verdict, beside one baseline where it is a ratio; INVALID with the reason where there is none.

        What no benchmark has measured yet is measured now, so that the order and the choice of tests do not matter.

        Raises:
            InputError: there is no such criterion.
        """
        bar = bar_of(key)
        if bar is None:
            raise InputError(f"no criterion {key!r}; there are {', '.join(BARS)}")
        try:
            if lacking := self._lacking(bar):
                criterion = _unjudged(bar, baseline, Finding(Verdict.NOT_APPLICABLE, lacking))
            else:
                criterion = self._judge(bar, baseline) if bar.workload else self._judge_stability(bar)
        except VoicePerfError as error:
            criterion = _unjudged(bar, baseline, Finding(Verdict.INVALID, str(error)))
        return self._keep(criterion)

    def not_applicable(self, workload: str) -> str:
        """Why no criterion that uses a workload can be judged with these engines; empty where one can."""
        found = [self._lacking(bar) for bar in BARS.values() if bar.workload == workload]
        return found[0] if found and all(found) else ""

    def _lacking(self, bar: Bar) -> str:
        """What an engine cannot do that the criterion takes, in words."""
        asked = ((side.contender(role), needed) for side in self._sides.values() for role, needed in bar.needs.items())
        return next(filter(None, (contender.lacks(needed) for contender, needed in asked)), "")

    def _keep(self, criterion: Criterion) -> Criterion:
        """Remember a criterion; judged again, it takes the place of its first verdict."""
        self.criteria = [row for row in self.criteria if row.name != criterion.name] + [criterion]
        return criterion

    def _judge(self, bar: Bar, baseline: str) -> Criterion:
        """Noisy data leads to more blocks first."""
        quality = self._quality(bar, baseline)
        for turn in self.turns:
            self.measure(bar.workload, turn)
        figure, speed = self._look(bar, baseline)
        for _ in range(MAX_LOOKS - 1):
            if speed.verdict is not Verdict.INCONCLUSIVE:
                break
            for turn in self.turns:
                self._take([WORKLOADS[bar.workload]], turn)
            figure, speed = self._look(bar, baseline)
        return _criterion(bar, baseline, figure, speed, quality)

    def _quality(self, bar: Bar, baseline: str) -> Quality:
        """Of the engine that does the work, for the whole call of all three; beside every baseline where none is named.

        Beside several, the worst one counts.
        """
        candidate = self._sides[self.plan.candidate.name]
        judge = partial(self.gate.judge, bar.role) if bar.role else self.gate.judge_all
        names = [baseline] if baseline else [profile.name for profile in self.plan.baselines]
        found = [judge(self._sides[name], candidate) for name in names]
        verdict = worst_verdict(quality.finding.verdict for quality in found)
        return next(quality for quality in found if quality.finding.verdict is verdict)

    def _look(self, bar: Bar, baseline: str) -> tuple[Interval | None, Finding]:
        candidate = self.plan.candidate.name
        turns = {turn.number: self.measure(bar.workload, turn) for turn in self._turns_of(bar)}
        if bar.is_relative:
            cost = _cost_of(bar)
            return judge_reduction(bar, {number: one.pairs(baseline, candidate, cost) for number, one in turns.items()})
        figures = {number: list(_figures(bar, one.of(candidate))) for number, one in turns.items()}
        return judge_worst_text(bar, figures)

    def _turns_of(self, bar: Bar) -> Sequence[Turn]:
        by_length = sorted(self.turns, key=lambda turn: len(turn.reply))
        return by_length[len(by_length) // 2 :] if bar.longer_half else self.turns

    def _judge_stability(self, bar: Bar) -> Criterion:
        """The candidate's engines at once."""
        candidate = self.plan.candidate.name
        with Workers(self.plan.call, {candidate: self._sides[candidate]}, ROLES) as workers:
            load = run_load(workers, candidate, self.turns, self.plan.form.load_s)
        speed, quality = judge_load(load, self.plan.max_rss_bytes)
        text = f"{len(load.errors)} errors, {len(load.changed_outputs)} changed in {load.runs} runs"
        if load.rss_bytes is not None:
            text += f", RSS {load.rss_bytes / 2**20:.0f} MiB, {load.rss_growth:+.1%}"
        return _criterion(bar, "", None, speed, Quality(quality, text))

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
            "format": FORMAT,
            "form": self.plan.form.name,
            "call": self.plan.call.digest(),
            "corpus": self.gate.corpus.digest(),
            "candidate": self.plan.candidate.name,
            "settings": settings(self.plan.contenders()),
            "control_s": self._control_s(),
            "criteria": [criterion.as_record() for criterion in self.criteria],
            "heard": self.gate.scores,
            "perplexity": self.gate.perplexity,
            "stages_ms": {name: self._stages_ms(name) for name in self._sides},
            "examples": self.examples.texts,
        }

    def _control_s(self) -> float | None:
        """The control's median time over the session; None before it has run."""
        times = [timing.wall_ns for taken in self._all() for timing in taken.of(CONTROL)]
        return median(times) / 1e9 if times else None

    def _all(self) -> list[Taken]:
        return [taken for taken in self._taken.values() if isinstance(taken, Taken)]

    def _stages_ms(self, side: str) -> dict[int, list[dict[str, float]]]:
        """By turn how long each stage of each whole turn took."""
        return {
            turn: [{stage: ns / 1e6 for stage, ns in timing.marks_ns.items()} for timing in taken.of(side)]
            for (workload, turn), taken in self._taken.items()
            if workload == CALL and isinstance(taken, Taken)
        }


def _cost_of(bar: Bar) -> Cost:
    """What of a run a ratio compares."""
    return (lambda timing: timing.marks_ns[bar.of]) if bar.of else wall_ns


def _figures(bar: Bar, timings: Sequence[Timing]) -> Iterator[float]:
    """The candidate's own figure in each run that has one."""
    read: Callable[[Timing], float | None] = (
        (lambda timing: timing.rtf) if bar.of == "rtf" else (lambda timing: timing.marks_ns[bar.of] / 1e9)
    )
    return (value for value in map(read, timings) if value is not None)


def _criterion(bar: Bar, baseline: str, figure: Interval | None, speed: Finding, quality: Quality) -> Criterion:
    return Criterion(bar, baseline, figure, speed, quality.finding, quality.text)


def _unjudged(bar: Bar, baseline: str, finding: Finding) -> Criterion:
    """A row all the same: what could not be judged must not look as if nobody had asked."""
    return _criterion(bar, baseline, None, finding, Quality(finding, "not judged"))
