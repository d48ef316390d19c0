"""One experiment: rounds of blocks, looked at where it was planned, until the question is answered or time is up."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
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


def looking(
    start: Start,
    looks: Sequence[int],
    *,
    rounds_a_launch: int | None = None,
    least_rounds: int | None = None,
    is_over: Callable[[], bool] = never,
    confidence: float = CONFIDENCE,
) -> Generator[Observed, None, None]:
    """What is known at each planned look; the rounds before a look are run when it is asked for.

    Every look's interval is wide enough for all planned looks to hold together (`look_confidence`). A budget that ends
    between two of them takes the next look early, as the last, which makes no more looks than planned.

    Args:
        start: of the processes that run the rounds.
        looks: after how many rounds, increasing.
        rounds_a_launch: how many rounds the same processes run; all of them where it is not said. Where a process's
            memory happens to lie can make identical code some per cent slower for as long as it lives: with launches,
            the interval has them as its samples. They end before a look, which then leaves the machine to others.
        least_rounds: what is run even without a budget; those of the first look where it is not said.
        is_over: whether the budget is used up.
        confidence: of all looks together.
    """
    at_each = look_confidence(tuple(looks), confidence)
    least = looks[0] if least_rounds is None else least_rounds
    rounds = 0
    launches: list[PairsByInput] = []
    with ExitStack() as alive:
        for planned in looks:
            while rounds < planned and (rounds < least or not is_over()):
                if rounds % (rounds_a_launch or looks[-1]) == 0:
                    alive.close()
                    source = alive.enter_context(start())
                    launches.append({})
                source.one_round()
                rounds += 1
                launches[-1] = source.times_ns()
            if rounds_a_launch:
                alive.close()
            interval = (interval_of_launches if rounds_a_launch else _interval_of_one)(launches, at_each)
            yield Observed(interval, rounds, tuple(launches))
            if is_over():
                return


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
    """Look at the planned places until it is clear (`looking`).

    Args:
        start: as for `looking`, as are the others that are not named here.
        looks: after how many rounds, increasing.
        is_clear: whether an interval answers the question.
        watch: called at each look.
    """
    seen = Observed(None, 0, ())
    for seen in looking(start, looks, rounds_a_launch=rounds_a_launch, is_over=is_over, confidence=confidence):
        watch(seen.rounds, seen.interval)
        if is_clear(seen.interval):
            break
    return seen


def _interval_of_one(launches: Sequence[PairsByInput], confidence: float) -> Interval | None:
    """Of the only launch: what its pairs say, and nothing of what other processes would."""
    (only,) = launches
    return ratio_interval(only, confidence)
