"""A duel: is the candidate slower, faster, or the same? Launch after launch until it is clear, or time is up."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from voiceperf.errors import EngineError, ParameterError, ServiceError
from voiceperf.judge.regression import MAX_SLOWDOWN, Change, change_of, judge_slowdown
from voiceperf.judge.stalls import judge_stalls
from voiceperf.judge.statistics import Interval, PairsByInput
from voiceperf.judge.verdict import Finding, Verdict, worst
from voiceperf.measure.blocks import Cost, balanced_orders, wall_ns
from voiceperf.measure.experiment import Observed, Start, looking, never
from voiceperf.measure.launch import BASELINE, CANDIDATE, Launch, Spent, StartSide

LOOKS = (6, 9, 14, 22, 36)  # launches
TURN_LOOKS = (4, 6, 9, 12, 16)  # of whole turns: each launch takes longer
_LEAST_LAUNCHES = 2
_SIDES = (CANDIDATE, BASELINE)


Watch = Callable[[str, int, Interval | None], None]
"""Called at each look with what is compared, the rounds so far and what they show."""


def unwatched(what: str, rounds: int, interval: Interval | None) -> None:
    """A duel that nobody watches."""


@dataclass(frozen=True)
class Rules:
    """What counts as slower, and how long a duel may take; what one leaves of its time, the others may use.

    Without `max_slowdown` each duel has its usual one.
    """

    max_slowdown: float | None = None
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


class DuelUnderWay:
    """A duel that goes on look by look, so that several can share a budget: who is clear leaves it to the others.

    Args:
        what: is compared.
        start: a launch.
        rules: what counts as slower.
        looks: after how many launches it is looked at.
        rounds_a_launch: how many each runs.
        is_over: whether the budget is used up; without one, two launches are run all the same.
        watch: called at each look.
    """

    def __init__(
        self,
        what: str,
        start: Start,
        rules: Rules,
        *,
        looks: Sequence[int] = LOOKS,
        rounds_a_launch: int = 1,
        is_over: Callable[[], bool] = never,
        watch: Watch = unwatched,
    ) -> None:
        self.what, self.is_done = what, False
        self._tolerance = MAX_SLOWDOWN if rules.max_slowdown is None else rules.max_slowdown
        self._watch = watch
        self._seen = Observed(None, 0, ())
        self._failure = ""
        self._looks = looking(
            start,
            [launches * rounds_a_launch for launches in looks],
            rounds_a_launch=rounds_a_launch,
            least_rounds=_LEAST_LAUNCHES * rounds_a_launch,
            is_over=is_over,
        )

    def go_on(self) -> None:
        """Measure until the next look. It is done where that is clear, was the last, or a side fails."""
        try:
            seen = next(self._looks, None)
        except (EngineError, ParameterError, ServiceError) as error:  # a model that is missing is the user's to mend
            self._failure = str(error)
        if self._failure or seen is None:
            self.is_done = True
            return
        self._seen = seen
        self._watch(self.what, seen.rounds, seen.interval)
        self.is_done = change_of(seen.interval, self._tolerance) is not Change.UNCLEAR

    def ended(self) -> Duel:
        """What came of it, as far as it went."""
        self._looks.close()
        if self._failure:
            return Duel(self.what, Finding(Verdict.INVALID, self._failure))
        seen, tolerance = self._seen, self._tolerance
        finding, change = judge_slowdown(seen.interval, tolerance), change_of(seen.interval, tolerance)
        stalls = judge_stalls(seen.launches)
        found = worst([finding, stalls]) if stalls.verdict is Verdict.FAIL else finding
        return Duel(self.what, found, change, seen.interval, seen.rounds, seen.launches)


class DuelOfSides(DuelUnderWay):
    """The candidate beside the baseline on the same inputs, by what each run costs.

    From launch to launch the other side begins the first block. A round is a whole cycle of blocks.
    """

    def __init__(
        self, what: str, sides: Mapping[str, StartSide], inputs: Iterable[int], rules: Rules, *,
        cost: Cost = wall_ns, is_local: bool = True, **how: Any,
    ) -> None:  # fmt: skip
        orders = [{name: sides[name] for name in order} for order in (_SIDES, _SIDES[::-1])]
        numbers = list(inputs)
        self._launches: list[Launch] = []
        self._is_local = is_local

        def start() -> Launch:
            order = orders[len(self._launches) % 2]
            self._launches.append(Launch(order, numbers, cost, blocks_a_round=len(balanced_orders(len(sides)))))
            return self._launches[-1]

        super().__init__(what, start, rules, **how)

    def ended(self) -> Duel:
        """With what each launch has taken, where that can be seen from here."""
        spent = [one.spent for one in self._launches if one.spent] if self._is_local else []
        return replace(super().ended(), spent=spent)
