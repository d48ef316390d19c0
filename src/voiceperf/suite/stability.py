"""The engines at once on shared cores: nothing may fail, change or grow."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count

import numpy as np

from voiceperf.call import Turn
from voiceperf.engines.base import Output, same_output
from voiceperf.errors import VoicePerfError
from voiceperf.judge.criteria import LoadResult
from voiceperf.measure.contender import Contender
from voiceperf.models.store import locate
from voiceperf.roles import LOCAL, ROLES
from voiceperf.suite.workers import Workers


@dataclass
class _Engine:
    """One role's engine, which one caller uses at a time: what it does under load beside what it did alone."""

    workers: Workers
    profile: str
    role: str
    turns: Sequence[Turn]
    alone: list[tuple[int, Output]] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run_alone(self) -> None:
        """Run every turn once without company."""
        self.alone = [self._run(turn) for turn in self.turns]

    def _run(self, turn: Turn) -> tuple[int, Output]:
        timing = self.workers.run(self.profile, self.role, turn)
        return timing.wall_ns, self.workers.get(self.profile, self.role).output()

    def rss_bytes(self) -> int:
        return self.workers.get(self.profile, self.role).resources().rss_bytes

    def serve(self, number: int) -> bool:
        """A caller's turn, by its place; false where the engine has failed."""
        with self.lock:
            if self.errors:
                return False
            turn, (alone_ns, alone) = self.turns[number], self.alone[number]
            try:
                wall_ns, output = self._run(turn)
            except VoicePerfError as error:
                self.errors.append(str(error))
                return False
            self.factors.append(wall_ns / alone_ns)
            if not same_output(alone, output):
                self.changed.append(f"{self.role} in turn {turn.number}")
            return True


def run_load(workers: Workers, profile: str, turns: Sequence[Turn], seconds: float) -> LoadResult:
    """As many callers at once as there are roles: each is heard, answered and spoken to, turn after turn.

    So all engines are at work at the same time, and each as often as calls want it.
    """
    engines = [_Engine(workers, profile, role, turns) for role in ROLES]
    for engine in engines:
        engine.run_alone()
    _call_at_once(engines, seconds / 4)
    settled = sum(engine.rss_bytes() for engine in engines)
    _call_at_once(engines, seconds * 3 / 4)
    errors = tuple(error for engine in engines for error in engine.errors)
    finished = None if errors else sum(engine.rss_bytes() for engine in engines)
    return LoadResult(
        runs=sum(len(engine.factors) for engine in engines),
        errors=errors,
        changed_outputs=tuple(where for engine in engines for where in engine.changed),
        p95_factors={engine.role: float(np.percentile(engine.factors, 95)) for engine in engines if engine.factors},
        rss_growth=None if finished is None else finished / settled - 1,
        rss_bytes=finished,
        model_bytes=sum(_model_bytes(workers.get(profile, role).contender) for role in ROLES),
    )


def _model_bytes(contender: Contender) -> int:
    """The size of the model's file; nothing of an engine that names none here."""
    model = contender.params.as_dict().get("model")
    return locate(model).stat().st_size if model and not contender.lacks({LOCAL}) else 0


def _call_at_once(engines: Sequence[_Engine], seconds: float) -> None:
    end_s = time.monotonic() + seconds
    with ThreadPoolExecutor(len(engines)) as pool:
        list(pool.map(lambda caller: _call(engines, caller, end_s), range(len(engines))))


def _call(engines: Sequence[_Engine], begin: int, end_s: float) -> None:
    """One caller, who begins at a turn of his own, until the moment comes, or until something fails."""
    for number in count(begin):
        for engine in engines:
            if time.monotonic() >= end_s or not engine.serve(number % len(engine.turns)):
                return
