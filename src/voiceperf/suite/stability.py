"""The engines at once on shared cores: nothing may fail, change or grow."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import cycle, islice

import numpy as np

from voiceperf.call import Turn
from voiceperf.engines import ENGINES
from voiceperf.engines.base import Output, Speech
from voiceperf.errors import VoicePerfError
from voiceperf.judge.criteria import LoadResult
from voiceperf.suite.workers import Workers


@dataclass
class _Tally:
    """What one engine's thread has seen."""

    factors: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    changed: int = 0


def run_load(workers: Workers, profile: str, turns: Sequence[Turn], seconds: float) -> LoadResult:
    """Keep every engine of one profile busy with the call's turns for a while, all at the same time."""
    unloaded = {
        engine: [(workers.run(profile, engine, turn).wall_ns, workers.get(profile, engine).output()) for turn in turns]
        for engine in ENGINES
    }
    settled = _rss_bytes(workers, profile)

    def busy(engine: str) -> _Tally:
        return _keep_busy(workers, profile, engine, turns, unloaded[engine], lambda: time.monotonic() < end)

    end = time.monotonic() + seconds
    with ThreadPoolExecutor(len(ENGINES)) as pool:
        tallies = list(pool.map(busy, ENGINES))
    errors = tuple(error for tally in tallies for error in tally.errors)
    factors = [factor for tally in tallies for factor in tally.factors]
    growth = None if errors else _rss_bytes(workers, profile) / settled - 1
    return LoadResult(
        runs=len(factors),
        errors=errors,
        changed_outputs=sum(tally.changed for tally in tallies),
        p95_factor=float(np.percentile(factors, 95)) if factors else None,
        rss_growth=growth,
    )


def _keep_busy(
    workers: Workers,
    profile: str,
    engine: str,
    turns: Sequence[Turn],
    unloaded: Sequence[tuple[int, Output]],
    more: Callable[[], bool],
) -> _Tally:
    tally = _Tally()
    rounds = cycle(zip(turns, unloaded, strict=True))
    while more():
        for turn, (alone_ns, alone) in islice(rounds, len(turns)):
            try:
                timing = workers.run(profile, engine, turn)
                output = workers.get(profile, engine).output()
            except VoicePerfError as error:
                tally.errors.append(str(error))
                return tally
            tally.factors.append(timing.wall_ns / alone_ns)
            tally.changed += not same_output(alone, output)
    return tally


def same_output(a: Output, b: Output) -> bool:
    """Bit for bit the same text or sound."""
    if isinstance(a, Speech) and isinstance(b, Speech):
        return bool(np.array_equal(a.audio, b.audio))
    return a == b


def _rss_bytes(workers: Workers, profile: str) -> int:
    return sum(workers.get(profile, engine).resources().rss_bytes for engine in ENGINES)
