"""A duel: is the candidate slower, faster, or the same? Rounds until it is clear, or until the budget ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from voiceperf.engines.base import Request
from voiceperf.judge.regression import MAX_SLOWDOWN, Change, change_of, judge_slowdown
from voiceperf.judge.statistics import Interval, PairsByInput
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.clock import Clock, SystemClock
from voiceperf.measure.contender import Contender
from voiceperf.measure.experiment import Start, experiment
from voiceperf.measure.launch import Launch
from voiceperf.measure.resources import Usage

LOOKS = (6, 12, 20, 30, 44)  # rounds; each look has about half as many again as the one before
CONFIRMING_SHARE = 0.3  # of the budget, kept for the second experiment


Watch = Callable[[str, int, Interval | None], None]
"""Called at each look with the experiment's title, the rounds so far and what they show."""


Look = Callable[[int, Interval | None], None]


def unwatched(title: str, rounds: int, interval: Interval | None) -> None:
    """A duel that nobody watches."""


@dataclass(frozen=True)
class Rules:
    """What counts as slower, and how long a duel may take."""

    max_slowdown: float = MAX_SLOWDOWN
    budget_s: float = 170.0


@dataclass(frozen=True)
class Experiment:
    """What the rounds showed, over all its pairs of processes."""

    change: Change
    interval: Interval | None
    rounds: int
    times_ns: PairsByInput

    def as_record(self) -> dict[str, Any]:
        """Plain values, every pair included."""
        return asdict(self)


@dataclass(frozen=True)
class Duel:
    """One role's verdict: the first experiment, and the second where that showed a change.

    `usage` is what baseline and candidate used in the rounds before the first look.
    """

    role: str
    finding: Finding
    first: Experiment
    fresh: Experiment | None
    usage: tuple[Usage, Usage] | None = None

    @property
    def change(self) -> Change:
        """Slower or faster only where the second experiment agreed."""
        return self.first.change if self.fresh is None or recurred(self.first, self.fresh) else Change.UNCLEAR

    def as_record(self) -> dict[str, Any]:
        """Plain values, every pair included."""
        experiments = [one for one in (self.first, self.fresh) if one]
        return {
            "role": self.role,
            "change": self.change,
            "verdict": self.finding.verdict,
            "reason": self.finding.reason,
            "experiments": [one.as_record() for one in experiments],
            "usage": [usage.as_record() for usage in self.usage] if self.usage else None,
        }


def _experiment(start: Start, tolerance: float, end_ns: int, clock: Clock, look: Look) -> Experiment:
    """Rounds in fresh processes until it is clear, with a tolerance, whether anything has changed."""
    seen = experiment(
        start,
        LOOKS,
        lambda interval: change_of(interval, tolerance) is not Change.UNCLEAR,
        fresh=True,
        is_over=lambda: clock.wall_ns() >= end_ns,
        watch=look,
    )
    return Experiment(change_of(seen.interval, tolerance), seen.interval, seen.rounds, seen.times_ns)


def judge_duel(
    start: Start, rules: Rules, clock: Clock, watch: Watch = unwatched
) -> tuple[Experiment, Experiment | None, Finding]:
    """One experiment, and where it says slower or faster, a second in fresh processes, which must say so too."""
    begun_ns = clock.wall_ns()
    budget_ns = int(rules.budget_s * 1e9)
    end_ns = begun_ns + int(budget_ns * (1 - CONFIRMING_SHARE))
    first = _experiment(start, rules.max_slowdown, end_ns, clock, partial(watch, "first experiment"))
    finding = judge_slowdown(first.interval, rules.max_slowdown)
    if first.change not in (Change.SLOWER, Change.FASTER):
        return first, None, finding
    fresh = _experiment(start, 0.0, begun_ns + budget_ns, clock, partial(watch, "again in fresh processes"))
    agreed = recurred(first, fresh)
    said = "again in fresh processes" if agreed else "but fresh processes did not show it again"
    reason = f"{finding.reason}; {first.change} {said}"
    doubtful = not agreed and Change.SLOWER in (first.change, fresh.change)
    verdict = Verdict.INCONCLUSIVE if doubtful else finding.verdict
    return first, fresh, Finding(verdict, reason)


def recurred(first: Experiment, fresh: Experiment) -> bool:
    """Whether the fresh experiment's whole interval lies on the same side of no change."""
    return first.change is fresh.change


def run_duel(
    baseline: Contender,
    candidate: Contender,
    requests: Mapping[int, Request],
    rules: Rules,
    watch: Watch = unwatched,
) -> Duel:
    """Judge two contenders of one role on the same inputs."""
    launches: list[Launch] = []

    def start() -> Launch:
        launches.append(Launch(baseline, candidate, requests))
        return launches[-1]

    first, fresh, finding = judge_duel(start, rules, SystemClock(), watch)
    return Duel(candidate.role, finding, first, fresh, launches[0].final_usage)
