"""One experiment: rounds of blocks, looked at where it was planned, until the question is answered or time is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import CONFIDENCE, Interval, PairsByInput, interval_of_launches, ratio_interval


class Source(Protocol):
    """Whatever yields rounds of two sides: processes, services, or recorded noise in a test."""

    def one_round(self) -> None: ...

    def times_ns(self) -> dict[int, list[tuple[float, float]]]: ...


Start = Callable[[], AbstractContextManager[Source]]
"""A launch: starts the processes of both sides afresh."""


@dataclass(frozen=True)
class Observed:
    """What the rounds showed: the second side's time over the first's, and each launch's pairs."""

    interval: Interval | None
    rounds: int
    launches: Sequence[PairsByInput]


def never() -> bool:
    """No budget."""
    return False


def unwatched(rounds: int, interval: Interval | None) -> None:
    """An experiment that nobody watches."""


def experiment(
    start: Start,
    looks: Sequence[int],
    is_clear: Callable[[Interval | None], bool],
    *,
    rounds_a_launch: int | None = None,
    is_over: Callable[[], bool] = never,
    watch: Callable[[int, Interval | None], None] = unwatched,
    confidence: float = CONFIDENCE,
) -> Observed:
    """Run rounds, look at the planned places, and stop once it is clear.

    Every look's interval is wide enough for all planned looks to hold together (`look_confidence`). A budget that ends
    between two of them takes the next look early, which makes no more looks than planned; the rounds of the first look
    are always run.

    Args:
        start: of the processes that run the rounds.
        looks: after how many rounds, increasing.
        is_clear: whether an interval answers the question.
        rounds_a_launch: how many rounds the same processes run; all of them where it is not said. Where a process's
            memory happens to lie can make identical code some per cent slower for as long as it lives: with launches,
            the interval has them as its samples.
        is_over: whether the budget is used up.
        watch: called at each look.
        confidence: of all looks together.
    """
    at_each = look_confidence(tuple(looks), confidence)
    interval, rounds = None, 0
    launches: list[PairsByInput] = []
    with ExitStack() as alive:
        for planned in looks:
            while rounds < planned and (rounds < looks[0] or not is_over()):
                if rounds % (rounds_a_launch or looks[-1]) == 0:
                    alive.close()
                    source = alive.enter_context(start())
                    launches.append({})
                source.one_round()
                rounds += 1
                launches[-1] = source.times_ns()
            interval = (interval_of_launches if rounds_a_launch else _interval_of_one)(launches, at_each)
            watch(rounds, interval)
            if is_clear(interval) or is_over():
                break
    return Observed(interval, rounds, launches)


def _interval_of_one(launches: Sequence[PairsByInput], confidence: float) -> Interval | None:
    """Of the only launch: what its pairs say, and nothing of what other processes would."""
    (only,) = launches
    return ratio_interval(only, confidence)
