"""Blocks: every side runs the same input once, so close in time that the machine's drift is common to all.

What ran before leaves caches and clocks as it likes them: right after another side, one may be some per cent slower
than after itself. So the order changes from block to block until every side has followed itself, and each of the
others, equally often (a design balanced for carry-over effects: Williams, "Experimental designs balanced for the
estimation of residual effects of treatments", 1949).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import pairwise, permutations

from voiceperf.measure.clock import Timing

RunOnce = Callable[[], Timing]
Cost = Callable[[Timing], float]
"""What of a run is compared, in nanoseconds."""
Block = Mapping[str, Timing]
"""By side what its run took."""
Order = tuple[int, ...]


def wall_ns(timing: Timing) -> float:
    """The whole run."""
    return timing.wall_ns


@cache
def balanced_orders(sides: int) -> tuple[Order, ...]:
    """The orders of a cycle of blocks: over all of it, each side follows every side, itself too, equally often.

    Where a block ends, the next begins with the same side; the last one ends where the first began.
    """
    return next(found for times in (1, 2) if (found := _cycle(sides, times)))


def _cycle(sides: int, times: int) -> tuple[Order, ...]:
    """Found by trying, with every step at most so many times; empty where there is none."""
    left = {(a, b): times for a in range(sides) for b in range(sides)}
    first = tuple(range(sides))

    def grow(chain: tuple[Order, ...]) -> tuple[Order, ...]:
        if len(chain) == sides * times:
            return chain if chain[-1][-1] == first[0] else ()
        for order in permutations(range(sides)):
            steps = [*pairwise(order), (chain[-1][-1], order[0])]
            if order[0] != chain[-1][-1] or not all(left[step] for step in steps):
                continue
            for step in steps:
                left[step] -= 1
            if found := grow((*chain, order)):
                return found
            for step in steps:
                left[step] += 1
        return ()

    for step in pairwise(first):
        left[step] -= 1
    return grow((first,))


class Blocks:
    """Collects blocks of several sides on one input.

    Args:
        runners: by side, what runs it once.
        begin_at: which of the balanced orders comes first; inputs that begin at others balance one another.
    """

    def __init__(self, runners: Mapping[str, RunOnce], begin_at: int = 0) -> None:
        self._runners, self._begin_at = dict(runners), begin_at
        self.taken: list[Block] = []

    def _order(self, block: int) -> Sequence[str]:
        orders = balanced_orders(len(self._runners))
        names = list(self._runners)
        return [names[side] for side in orders[(self._begin_at + block) % len(orders)]]

    def warm_up(self) -> None:
        """Run every side once, keeping nothing. The one that goes first in the next block goes last here."""
        for name in reversed(self._order(len(self.taken))):
            self._runners[name]()

    def one_more(self) -> None:
        """Measure one more block."""
        self.taken.append({name: self._runners[name]() for name in self._order(len(self.taken))})


def pairs_of(blocks: Iterable[Block], before: str, after: str, cost: Cost = wall_ns) -> list[tuple[float, float]]:
    """Two sides' costs, of every block in which both ran."""
    return [(cost(block[before]), cost(block[after])) for block in blocks if before in block and after in block]


class Rounds:
    """The blocks of several inputs, which go round together; of two sides, one is compared with the other."""

    def __init__(self, blocks: Mapping[int, Blocks], before: str, after: str, cost: Cost = wall_ns) -> None:
        self._blocks, self._sides, self._cost = blocks, (before, after), cost

    def one_round(self) -> None:
        """One block of every input."""
        for blocks in self._blocks.values():
            blocks.one_more()

    def times_ns(self) -> dict[int, list[tuple[float, float]]]:
        """By input, the (before, after) times of every block so far."""
        return {number: pairs_of(blocks.taken, *self._sides, self._cost) for number, blocks in self._blocks.items()}
