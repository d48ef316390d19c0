"""A long load on running services: nothing may fail, change, leak or pile up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import psutil

from voiceperf.call import CallRecording
from voiceperf.judge.verdict import Finding, Verdict, point_at_most, worst
from voiceperf.live.agent import Caller
from voiceperf.live.record import TurnRecord
from voiceperf.live.replay import Pace, Watch, replay
from voiceperf.live.services import Services
from voiceperf.measure.clock import Clock, SystemClock
from voiceperf.measure.resources import family

MAX_RSS_GROWTH = 0.01
WARM_UP_SHARE = 0.2  # of the time, after which memory is held against the end's
_HUNG_UP_S = 0.5  # for a service to notice that its clients are gone
MAX_P95_FACTOR = 30.0  # a turn's p95 over that of an unloaded call, as for the engines without a network


@dataclass(frozen=True)
class Footprint:
    """What the services' processes hold, their workers with them."""

    rss_bytes: int
    threads: int
    descriptors: int


@dataclass
class Soaked:
    """What a soak showed."""

    alone: Sequence[TurnRecord]
    loaded: list[TurnRecord] = field(default_factory=list)
    warm: Footprint | None = None
    end: Footprint | None = None

    def errors(self) -> list[str]:
        return [record.error for record in (*self.alone, *self.loaded) if record.error]

    def changed(self) -> list[str]:
        """Turns that heard, said or sounded otherwise than alone: wrong, or somebody else's."""
        expected = {record.turn: _said(record) for record in self.alone}
        return [
            f"call {record.call}, turn {record.turn}"
            for record in self.loaded
            if not record.error and _said(record) != expected[record.turn]
        ]

    def p95_factor(self) -> float | None:
        """The p95 of the time to the first sound, over the median of the call that was alone."""
        alone, loaded = (
            [r.first_audio_ms for r in records if r.first_audio_ms] for records in (self.alone, self.loaded)
        )
        return float(np.percentile(loaded, 95) / np.median(alone)) if alone and loaded else None

    def growth(self) -> float | None:
        """Of resident memory since it was warm."""
        return self.end.rss_bytes / self.warm.rss_bytes - 1 if self.warm and self.end else None

    def finding(self) -> Finding:
        """All of it."""
        if not self.loaded:
            return Finding(Verdict.INVALID, "nothing was measured under load")
        return worst(
            [
                point_at_most(len(self.errors()), 0, _with_first("failed turns", self.errors())),
                point_at_most(len(self.changed()), 0, _with_first("turns not as alone", self.changed())),
                point_at_most(self.growth(), MAX_RSS_GROWTH, "growth of memory"),
                point_at_most(self.p95_factor(), MAX_P95_FACTOR, "p95 over a call alone"),
                point_at_most(self._more("threads"), 0, "threads more than when warm"),
                point_at_most(self._more("descriptors"), 0, "descriptors more than when warm"),
            ]
        )

    def _more(self, what: str) -> int | None:
        return getattr(self.end, what) - getattr(self.warm, what) if self.warm and self.end else None


async def soak(
    call: CallRecording,
    services: Services,
    pids: Sequence[int],
    *,
    seconds: float,
    concurrency: int,
    watch: Watch,
    clock: Clock | None = None,
) -> Soaked:
    """One call alone, then so many at once until the time is over.

    What the services hold is looked at when they are warm, and at the end, both times with no call under way.

    Args:
        call: what is replayed.
        services: that run it.
        pids: their processes.
        seconds: of load.
        concurrency: calls at once.
        watch: told of every turn.
        clock: the machine's, unless a test has another.
    """
    clock = clock or SystemClock()
    found = Soaked(await replay(call, services, Pace(1), watch))
    begun_ns = clock.wall_ns()
    numbers = iter(range(1, 10**9))

    async def one_line(until_s: float) -> None:
        while (clock.wall_ns() - begun_ns) / 1e9 < until_s:
            caller = Caller(services, next(numbers), real_time=False)
            for turn in call.turns:
                record = await caller.turn(turn, call.messages(turn))
                found.loaded.append(record)
                watch(record)
            await caller.hang_up()

    async def footprint_after(until_s: float) -> Footprint | None:
        async with asyncio.TaskGroup() as lines:
            for _ in range(concurrency):
                lines.create_task(one_line(until_s))
        await asyncio.sleep(_HUNG_UP_S)
        return footprint(pids)

    found.warm = await footprint_after(seconds * WARM_UP_SHARE)
    found.end = await footprint_after(seconds)
    return found


def footprint(pids: Sequence[int]) -> Footprint | None:
    """Of processes and all their children, now; None where one of them is gone."""
    try:
        processes = family(pids)
        return Footprint(
            sum(process.memory_info().rss for process in processes),
            sum(process.num_threads() for process in processes),
            sum(process.num_fds() for process in processes),
        )
    except psutil.NoSuchProcess:
        return None


def _with_first(what: str, cases: Sequence[object]) -> str:
    return f"{what} (the first: {cases[0]})" if cases else what


def _said(record: TurnRecord) -> tuple[str, str, str]:
    return record.transcript, record.reply, record.audio_sha256
