"""The engines together: what shortens a whole turn, when they share the cores and wait for one another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from voiceperf.call import CallRecording
from voiceperf.engines import params_class
from voiceperf.judge.statistics import Interval
from voiceperf.measure.contender import Side
from voiceperf.measure.pairs import PairedRounds, PairRecorder
from voiceperf.profiles import Profile, Setting
from voiceperf.suite.workers import Workers
from voiceperf.suite.workloads import CALL, shortest_turns
from voiceperf.tune.race import race
from voiceperf.tune.space import Space

_NOW, _OTHER = "now", "other"
_SURELY = 0.99  # the whole interval below it: a hundredth is less than what processes differ by


@dataclass(frozen=True)
class Change:
    """One value of one engine, and the time of a whole turn with it over that without."""

    engine: str
    name: str
    value: Any
    ratio: Interval | None
    kept: bool


class CallBout(PairedRounds):
    """Two profiles, all engines of both alive, running whole turns in ABBA pairs. Use as a context manager."""

    def __init__(self, call: CallRecording, now: Profile, other: Profile) -> None:
        self._workers = Workers(call, [Side(_NOW, now), Side(_OTHER, other)])
        turns = shortest_turns(call)
        run = self._workers.run_turn
        super().__init__(
            {turn.number: PairRecorder(partial(run, _OTHER, turn), partial(run, _NOW, turn)) for turn in turns}
        )
        try:
            for turn in turns:
                for side in (_NOW, _OTHER):
                    self._workers.warm_up(side, CALL, turn)
        except BaseException:
            self._workers.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._workers.close()


def tune_together(
    call: CallRecording,
    profile: Profile,
    spaces: Mapping[str, Space],
    is_over: Callable[[], bool],
    start: Callable[[CallRecording, Profile, Profile], CallBout] = CallBout,
) -> tuple[Profile, list[Change]]:
    """Change one value at a time, of those that never change a result, and keep what surely shortens the turn."""
    tried: list[Change] = []
    for engine, name, value in _neutral_changes(profile, spaces):
        if is_over():
            break
        setting = Setting({**profile[engine].values, name: value}, profile[engine].env)
        other = profile.having(engine, setting)
        raced = race(partial(start, call, profile, other), bar=1.0)
        kept = raced.ratio is not None and raced.ratio.high < _SURELY
        profile = other if kept else profile
        tried.append(Change(engine, name, value, raced.ratio, kept))
    return profile, tried


def _neutral_changes(profile: Profile, spaces: Mapping[str, Space]) -> Iterator[tuple[str, str, Any]]:
    """Threads, waiting and memory: every value of theirs that the profile does not have."""
    for engine, space in spaces.items():
        params = params_class(engine).parse(profile[engine].values)
        for name, known in params.tunables().items():
            others = [value for value in space.values.get(name, ()) if value != getattr(params, name)]
            yield from ((engine, name, value) for value in others if known.neutral)
