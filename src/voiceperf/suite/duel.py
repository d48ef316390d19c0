"""A duel: is the candidate slower, faster, or the same? Launch after launch until it is clear, or the budget ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from voiceperf.judge.regression import MAX_SLOWDOWN, Change, change_of, judge_slowdown
from voiceperf.judge.statistics import Interval, PairsByInput
from voiceperf.judge.verdict import Finding
from voiceperf.measure.clock import Clock, SystemClock
from voiceperf.measure.experiment import Observed, Start, experiment
from voiceperf.measure.launch import BASELINE, CANDIDATE, Launch, Spent, StartSide

ROUNDS_A_LAUNCH = 2
LOOKS = tuple(ROUNDS_A_LAUNCH * launches for launches in (6, 9, 12, 16, 22))


Watch = Callable[[str, int, Interval | None], None]
"""Called at each look with what is compared, the rounds so far and what they show."""


def unwatched(what: str, rounds: int, interval: Interval | None) -> None:
    """A duel that nobody watches."""


@dataclass(frozen=True)
class Rules:
    """What counts as slower, and how long a duel may take."""

    max_slowdown: float = MAX_SLOWDOWN
    budget_s: float = 170.0


@dataclass(frozen=True)
class Duel:
    """What came of it. `spent` has of each launch what starting took each side, and what its rounds used.

    `what` is a role, or the whole call.
    """

    what: str
    finding: Finding
    change: Change = Change.UNCLEAR
    interval: Interval | None = None
    rounds: int = 0
    launches: Sequence[PairsByInput] = ()
    spent: Sequence[Mapping[str, Spent]] = field(default_factory=list)

    def as_record(self) -> dict[str, Any]:
        """Plain values, every pair included."""
        return {
            "what": self.what,
            "change": self.change,
            "verdict": self.finding.verdict,
            "reason": self.finding.reason,
            "interval": asdict(self.interval) if self.interval else None,
            "rounds": self.rounds,
            "launches_ns": self.launches,
            "spent": [{side: asdict(one) for side, one in launch.items()} for launch in self.spent],
        }


def observe(
    what: str, start: Start, rules: Rules, clock: Clock, watch: Watch = unwatched
) -> tuple[Finding, Change, Observed]:
    """Launches until it is clear, with a tolerance, whether anything has changed."""
    end_ns = clock.wall_ns() + int(rules.budget_s * 1e9)
    seen = experiment(
        start,
        LOOKS,
        lambda interval: change_of(interval, rules.max_slowdown) is not Change.UNCLEAR,
        rounds_a_launch=ROUNDS_A_LAUNCH,
        is_over=lambda: clock.wall_ns() >= end_ns,
        watch=lambda rounds, interval: watch(what, rounds, interval),
    )
    return judge_slowdown(seen.interval, rules.max_slowdown), change_of(seen.interval, rules.max_slowdown), seen


def run_duel(
    what: str, sides: Mapping[str, StartSide], inputs: Iterable[int], rules: Rules, watch: Watch = unwatched
) -> Duel:
    """Judge the candidate beside the baseline on the same inputs.

    From launch to launch the other side is started first and begins the first block: neither is to gain by it.
    """
    launches: list[Launch] = []
    orders = [{name: sides[name] for name in order} for order in ((CANDIDATE, BASELINE), (BASELINE, CANDIDATE))]

    def start() -> Launch:
        launches.append(Launch(orders[len(launches) % 2], inputs))
        return launches[-1]

    finding, change, seen = observe(what, start, rules, SystemClock(), watch)
    spent = [one.spent for one in launches]
    return Duel(what, finding, change, seen.interval, seen.rounds, seen.launches, spent)
