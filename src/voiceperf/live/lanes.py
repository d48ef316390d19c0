"""Who is next: those who wait for one of a few things, the most urgent first."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable
from heapq import heappop, heappush
from typing import Generic, TypeVar

Lane = TypeVar("Lane")


class Lanes(Generic[Lane]):
    """Things that one at a time may use. Of those who wait, whoever is due earliest gets the next; equals in order."""

    def __init__(self, lanes: Iterable[Lane]) -> None:
        self.all = tuple(lanes)
        self._free = list(self.all)
        self._waiting: list[tuple[float, int, asyncio.Future[Lane]]] = []
        self._arrivals = itertools.count()

    @property
    def all_free(self) -> bool:
        return len(self._free) == len(self.all)

    async def take(self, due_s: float) -> Lane:
        """One of them, as soon as it is one's turn; cancelled, one has none."""
        if self._free:
            return self._free.pop()
        given: asyncio.Future[Lane] = asyncio.get_running_loop().create_future()
        heappush(self._waiting, (due_s, next(self._arrivals), given))
        try:
            return await given
        except asyncio.CancelledError:
            if given.done() and not given.cancelled():  # it came at the very moment
                self.give_back(given.result())
            raise

    def give_back(self, lane: Lane) -> None:
        """Let the next one have it."""
        while self._waiting:
            _, _, given = heappop(self._waiting)
            if not given.done():
                given.set_result(lane)
                return
        self._free.append(lane)
