"""A long load on running services: nothing may fail, change, leak or pile up."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import zip_longest

import numpy as np
import psutil

from voiceperf.audio import SPEECH_RATE_HZ
from voiceperf.call import CallRecording
from voiceperf.judge.text import words_of
from voiceperf.judge.verdict import Finding, Verdict, point_at_most, worst
from voiceperf.live.agent import Caller
from voiceperf.live.barge_in import Attention, BargeIn
from voiceperf.live.record import TurnRecord
from voiceperf.live.replay import BARGE_IN_MS, Pace, Watch, replay
from voiceperf.live.services import Services
from voiceperf.measure.clock import Clock, SystemClock
from voiceperf.measure.resources import family

MAX_RSS_GROWTH = 0.01
WARM_UP_SHARE = 0.2  # of the time, after which memory is held against the end's
_HUNG_UP_S = 0.5  # for a service to notice that its clients are gone
MAX_P95_FACTOR = 30.0  # a turn's p95 over that of an unloaded call, as for the engines without a network
_NOTHING = np.zeros(SPEECH_RATE_HZ, np.float32)  # what is heard of who says nothing
_GONE_WITHIN_S = 1.0  # of a turn, who hangs up in it


class Manner(Enum):
    """What a caller does in a turn, other than to speak and listen to the end."""

    POLITE = "listens"
    INTO = "speaks into the reply"
    GONE = "hangs up"
    SILENT = "says nothing"


UNRULY = {Manner.INTO: 0.2, Manner.GONE: 0.1, Manner.SILENT: 0.1}
"""Which share of the turns goes so where callers are."""


@dataclass(frozen=True)
class Footprint:
    """What the services' processes hold, their workers with them."""

    rss_bytes: int
    threads: int
    descriptors: int


@dataclass(frozen=True)
class Played:
    """A turn under load, and how the caller behaved in it and in the one before."""

    record: TurnRecord
    manner: Manner = Manner.POLITE
    before: Manner = Manner.POLITE

    def is_as(self, alone: TurnRecord) -> bool:
        """Whether it heard, said and sounded as it should: as alone, as far as the caller let it.

        Words that began in a reply are the same words; whisper may set other commas, as it hears less silence.
        """
        record = self.record
        expected = "" if self.manner is Manner.SILENT else alone.transcript
        if self.before is Manner.INTO:
            is_heard = words_of(record.transcript) == words_of(expected)
        else:
            is_heard = record.transcript == expected
        is_cut = record.silence_ms is not None
        return is_heard and (is_cut or (record.reply, record.audio_sha256) == (alone.reply, alone.audio_sha256))


@dataclass
class Soaked:
    """What a soak showed."""

    alone: Sequence[TurnRecord]
    played: list[Played] = field(default_factory=list)
    hung_up: int = 0
    warm: Footprint | None = None
    end: Footprint | None = None

    @property
    def loaded(self) -> list[TurnRecord]:
        """The turns under load that came to their end."""
        return [one.record for one in self.played]

    def spoken_into(self) -> int:
        """How many replies were."""
        return sum(record.silence_ms is not None for record in self.loaded)

    def silent(self) -> int:
        """In how many turns nothing was said."""
        return sum(one.manner is Manner.SILENT for one in self.played)

    def errors(self) -> list[str]:
        return [record.error for record in (*self.alone, *self.loaded) if record.error]

    def changed(self) -> list[str]:
        """Turns that heard, said or sounded otherwise than alone: wrong, or somebody else's."""
        alone = {record.turn: record for record in self.alone}
        return [
            f"call {one.record.call}, turn {one.record.turn}"
            for one in self.played
            if not one.record.error and not one.is_as(alone[one.record.turn])
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
    unruly: bool = False,
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
        unruly: some turns are spoken into, some hung up on, and in some nothing is said.
        watch: told of every turn.
        clock: the machine's, unless a test has another.
    """
    clock = clock or SystemClock()
    found = Soaked(await replay(call, services, Pace(1), watch))
    begun_ns = clock.wall_ns()
    numbers = iter(range(1, 10**9))
    attentions = [Attention() if unruly else None for _ in range(concurrency)]

    async def one_line(until_s: float, attention: Attention | None) -> None:
        while (clock.wall_ns() - begun_ns) / 1e9 < until_s:
            number = next(numbers)
            caller = Caller(services, number, real_time=False, attention=attention)
            await _one_call(call, caller, random.Random(number) if unruly else None, found, watch)
            await caller.hang_up()

    async def footprint_after(until_s: float) -> Footprint | None:
        async with asyncio.TaskGroup() as lines:
            for attention in attentions:
                lines.create_task(one_line(until_s, attention))
        await asyncio.sleep(_HUNG_UP_S)
        return footprint(pids)

    found.warm = await footprint_after(seconds * WARM_UP_SHARE)
    found.end = await footprint_after(seconds)
    return found


async def _one_call(
    call: CallRecording, caller: Caller, rng: random.Random | None, found: Soaked, watch: Watch
) -> None:
    heard: dict[int, str] = {}  # of the replies that were spoken into
    before = Manner.POLITE
    for turn, following in zip_longest(call.turns, call.turns[1:]):
        manner = _manner(rng, before, is_last=following is None)
        messages = call.messages(turn, heard)
        if manner is Manner.GONE:
            assert rng is not None
            try:
                async with asyncio.timeout(rng.uniform(0, _GONE_WITHIN_S)):
                    record = await caller.turn(turn, messages)
            except TimeoutError:
                found.hung_up += 1
            else:  # it was over before, or has failed
                found.played.append(Played(record, Manner.POLITE, before))
            await caller.hang_up()
        else:
            said = turn.saying(_NOTHING) if manner is Manner.SILENT else turn
            into = BargeIn(following.audio, BARGE_IN_MS) if manner is Manner.INTO else None
            record = await caller.turn(said, messages, into)
            if record.silence_ms is not None:
                heard[turn.number] = record.heard_reply
            found.played.append(Played(record, manner, before))
            watch(record)
        before = manner


def _manner(rng: random.Random | None, before: Manner, *, is_last: bool) -> Manner:
    """How the caller behaves in a turn; who has begun to speak says it to the end."""
    if rng is None:
        return Manner.POLITE
    (manner,) = rng.choices([*UNRULY, Manner.POLITE], [*UNRULY.values(), 1 - sum(UNRULY.values())])
    is_possible = not (is_last and manner is Manner.INTO) and (before is not Manner.INTO or manner is Manner.INTO)
    return manner if is_possible else Manner.POLITE


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
