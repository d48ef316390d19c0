"""One experiment: rounds of blocks, looked at where it was planned, until the question is answered or time is up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from typing import Protocol

from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import CONFIDENCE, Interval, PairsByInput, ratio_interval


class Source(Protocol):
    """Whatever yields rounds of two sides: processes, services, or recorded noise in a test."""

    def one_round(self) -> None: ...

    def times_ns(self) -> dict[int, list[tuple[float, float]]]: ...


Start = Callable[[], AbstractContextManager[Source]]
"""Starts a fresh pair of processes."""


@dataclass(frozen=True)
class Observed:
    """What the rounds showed: the second side's time over the first's."""

    interval: Interval | None
    rounds: int
    times_ns: PairsByInput


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
    fresh: bool,
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
        fresh: the rounds up to each look are run by a fresh pair of processes: where a process's memory happens to lie
            can make identical code some per cent slower for as long as it lives.
        is_over: whether the budget is used up.
        watch: called at each look.
        confidence: of all looks together.
    """
    at_each = look_confidence(tuple(looks), confidence)
    interval, rounds = None, 0
    earlier: PairsByInput = {}  # of processes that have ended
    times_ns: PairsByInput = {}
    with ExitStack() as alive:
        source = alive.enter_context(start())
        for planned in looks:
            if fresh and rounds:
                alive.close()
                source, earlier = alive.enter_context(start()), times_ns
            while rounds < planned and (rounds < looks[0] or not is_over()):
                source.one_round()
                rounds += 1
            times_ns = {key: [*earlier.get(key, ()), *pairs] for key, pairs in source.times_ns().items()}
            interval = ratio_interval(times_ns, at_each)
            watch(rounds, interval)
            if is_clear(interval) or is_over():
                break
    return Observed(interval, rounds, times_ns)
