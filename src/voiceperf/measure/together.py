"""Processes started and ended side by side: each is slow with what one core does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar


class Closable(Protocol):
    """Whatever runs until it is closed."""

    def close(self) -> None: ...


K = TypeVar("K")
T = TypeVar("T", bound=Closable)


def started(starts: Mapping[K, Callable[[], T]]) -> dict[K, T]:
    """What each makes, all made at once.

    Raises:
        Exception: what the first of them raised that failed; the others are closed then.
    """
    with ThreadPoolExecutor(max(1, len(starts))) as threads:
        each = {name: threads.submit(start) for name, start in starts.items()}
    made = {name: one.result() for name, one in each.items() if not one.exception()}
    for failed in filter(None, (one.exception() for one in each.values())):
        closed(made.values())
        raise failed
    return made


def closed(those: Iterable[Closable]) -> None:
    """End them all, and wait until they are gone."""
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda one: one.close(), those))
