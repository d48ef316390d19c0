"""The engines together: what shortens a whole turn, when they share the cores and wait for one another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from voiceperf.call import CallRecording, Turn
from voiceperf.engines import ENGINES, params_class
from voiceperf.judge.statistics import Interval
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Side
from voiceperf.measure.pairs import PairedRounds, PairRecorder
from voiceperf.profiles import Profile, Setting
from voiceperf.suite.workers import Workers
from voiceperf.suite.workloads import shortest_turns
from voiceperf.tune.race import race
from voiceperf.tune.space import Space
from voiceperf.tune.trial import Raced

_SIDE = "tuned"
_LOOKS, _ENOUGH = (2, 4, 8), 0.02  # what is left to gain on whole turns is a few hundredths
_SURELY = 0.99  # the whole interval below it: a hundredth is less than what processes differ by


@dataclass(frozen=True)
class Change:
    """One value of one engine, and the time of a whole turn with it over that without."""

    engine: str
    name: str
    value: Any
    ratio: Interval | None
    kept: bool


class Stage:
    """The processes of one profile, alive: beside them one engine at a time is changed. Use as a context manager."""

    def __init__(self, call: CallRecording, profile: Profile) -> None:
        self._call, self._turns = call, shortest_turns(call)
        self._alive = {engine: Workers(call, [Side(_SIDE, profile)]) for engine in ENGINES}

    @contextmanager
    def bout(self, engine: str, other: Profile) -> Iterator[PairedRounds]:
        """Whole turns in ABBA pairs: as the profile has it, and with one engine's process as another has it."""
        changed = Workers(self._call, [Side(_SIDE, other)])
        try:
            others = {**self._alive, engine: changed}
            for turn in self._turns:
                for name, workers in (*self._alive.items(), (engine, changed)):
                    workers.warm_up(_SIDE, name, turn)
            yield PairedRounds(
                {
                    turn.number: PairRecorder(partial(_run, others, turn), partial(_run, self._alive, turn))
                    for turn in self._turns
                }
            )
        finally:
            changed.close()

    def adopt(self, engine: str, profile: Profile) -> None:
        """From now on this engine is as in another profile."""
        self._alive[engine].close()
        self._alive[engine] = Workers(self._call, [Side(_SIDE, profile)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for workers in self._alive.values():
            workers.close()


def tune_together(
    stage: Stage, profile: Profile, changes: Iterable[tuple[str, str, Any]]
) -> tuple[Profile, list[Change]]:
    """Change one value at a time, and keep what surely shortens the turn, and does so again in a fresh process.

    Args:
        stage: the profile's processes.
        profile: what was found for each engine alone.
        changes: (engine, parameter, value), none of which may change a result.
    """
    tried: list[Change] = []
    for engine, name, value in changes:
        setting = Setting({**profile[engine].values, name: value}, profile[engine].env)
        other = profile.having(engine, setting)
        once = partial(race, partial(stage.bout, engine, other), 1.0, _LOOKS, enough=_ENOUGH)
        raced = once()
        kept = _helps(raced) and _helps(once())
        if kept:
            profile = other
            stage.adopt(engine, other)
        tried.append(Change(engine, name, value, raced.ratio, kept))
    return profile, tried


def _helps(raced: Raced) -> bool:
    return raced.ratio is not None and raced.ratio.high < _SURELY


def _run(workers: Mapping[str, Workers], turn: Turn) -> Timing:
    """Every stage, one after the other, of which the last counts until it is heard."""
    *before, speaking = [workers[engine].run(_SIDE, engine, turn) for engine in ENGINES]
    cpu_ns = sum(stage.cpu_ns for stage in (*before, speaking))
    return Timing(sum(stage.wall_ns for stage in before) + speaking.until_heard_ns, cpu_ns)


def neutral_changes(profile: Profile, spaces: Mapping[str, Space]) -> list[tuple[str, str, Any]]:
    """Waiting, memory and threads: every value of theirs that the profile does not have; fewer threads seldom help."""
    found: list[tuple[str, str, Any]] = []
    threads: list[tuple[str, str, Any]] = []
    for engine, space in spaces.items():
        params = params_class(engine).parse(profile[engine].values)
        for name, known in params.tunables().items():
            others = [value for value in space.values.get(name, ()) if value != getattr(params, name)]
            if known.neutral:
                (threads if name in params.thread_names else found).extend((engine, name, value) for value in others)
    return found + threads
