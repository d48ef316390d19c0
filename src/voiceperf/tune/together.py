"""The engines together, as services over TCP: what shortens a whole turn, when stages overlap and share the cores."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

from voiceperf.call import CallRecording, Turn
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.live.agent import Caller
from voiceperf.live.processes import ServicesOfProfile
from voiceperf.live.stages import OVERALL
from voiceperf.measure.blocks import Blocks, Rounds
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import of_profile
from voiceperf.profiles import Profile, Setting
from voiceperf.suite.live_turns import turn_stages_ms
from voiceperf.suite.workloads import DUEL_TURNS
from voiceperf.tune.space import Space
from voiceperf.tune.trial import Raced, race

_LOOKS, _ENOUGH = (2, 4, 8), 0.02  # what is left to gain on whole turns is a few hundredths
_SURELY = 0.99  # the whole interval below it: a hundredth is less than what processes differ by


@dataclass(frozen=True)
class Change:
    """One value of one engine, and the time of a whole turn with it over that without."""

    role: str
    name: str
    value: Any
    ratio: Interval | None
    refusal: str

    @property
    def kept(self) -> bool:
        """Whether the profile has it from now on: nothing was found against it."""
        return not self.refusal


class Stage:
    """The services of one profile, alive: beside them one engine at a time is changed. Use as a context manager."""

    def __init__(self, call: CallRecording, profile: Profile) -> None:
        self._call = call
        # those with the longest replies, where the first clause sounds while the rest is being written
        self._turns = sorted(call.turns, key=lambda turn: len(turn.reply))[-DUEL_TURNS:]
        self._loop = asyncio.Runner()
        self._alive = ServicesOfProfile(profile)

    @contextmanager
    def launch(self, role: str, other: Profile) -> Iterator[Rounds]:
        """Whole turns in balanced blocks: as the profile has it, and with one engine's service as another has it."""
        with self._alive.with_one_changed(role, other) as changed:
            services = {"with": changed, "without": self._alive.services}
            sides = {side: Caller(one, 1, real_time=False) for side, one in services.items()}
            try:
                blocks = {
                    turn.number: Blocks({side: partial(self._run, one, turn) for side, one in sides.items()}, begin_at)
                    for begin_at, turn in enumerate(self._turns)
                }
                for one in blocks.values():
                    one.warm_up()
                yield Rounds(blocks, "without", "with")
            finally:
                for caller in sides.values():
                    self._loop.run(caller.hang_up())

    def _run(self, caller: Caller, turn: Turn) -> Timing:
        stages_ms = self._loop.run(turn_stages_ms(caller, self._call, turn))
        return Timing(int(stages_ms[OVERALL] * 1e6), cpu_ns=0)  # the race asks for its wall time alone

    def adopt(self, role: str, profile: Profile) -> None:
        """From now on this engine is as in another profile."""
        self._alive.change(role, profile)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._alive.close()
        self._loop.close()


def tune_together(
    stage: Stage,
    profile: Profile,
    changes: Iterable[tuple[str, str, Any]],
    quality: Callable[[Profile, str], Finding],
    load: Callable[[Profile], Finding],
) -> tuple[Profile, list[Change]]:
    """Change one value at a time; keep what surely shortens the turn, again in a fresh process, and holds.

    Args:
        stage: the profile's processes.
        profile: what was found for each engine alone.
        changes: (engine, parameter, value).
        quality: judges one engine of a profile; asked only of what is faster, and known at once of a neutral change.
        load: judges a profile with all engines busy at once.
    """
    tried: list[Change] = []
    for role, name, value in changes:
        setting = Setting({**profile[role].values, name: value}, profile[role].env)
        other = profile.having(role, setting)
        once = partial(race, partial(stage.launch, role, other), 1.0, _LOOKS, enough=_ENOUGH, wins_below=_SURELY)
        raced = once()
        if not _helps(raced):
            refusal = "not surely shorter"
        elif not _helps(once()):
            refusal = "not shorter again in a fresh process"
        elif (heard := quality(other, role)).verdict is not Verdict.PASS:
            refusal = f"quality: {heard.reason}"
        elif (borne := load(other)).verdict is Verdict.FAIL:
            refusal = f"under load: {borne.reason}"
        else:
            refusal = ""
            profile = other
            stage.adopt(role, other)
        tried.append(Change(role, name, value, raced.ratio, refusal))
    return profile, tried


def _helps(raced: Raced) -> bool:
    return raced.ratio is not None and raced.ratio.high < _SURELY


def turn_changes(profile: Profile, spaces: Mapping[str, Space]) -> list[tuple[str, str, Any]]:
    """Every value that the profile does not have of what decides when stages work, or cannot change a result; threads.

    What overlaps comes first, then what else an engine alone cannot show; threads last, as fewer of them seldom help.
    """
    overlapping: list[tuple[str, str, Any]] = []
    unseen: list[tuple[str, str, Any]] = []
    found: list[tuple[str, str, Any]] = []
    threads: list[tuple[str, str, Any]] = []
    for role, space in spaces.items():
        params = of_profile(profile, role).params
        for name, values in {**space.beside, **space.values}.items():
            known = params.tunables()[name]
            is_thread = name in params.thread_names
            if known.neutral or known.overlaps or is_thread:
                alone = threads if is_thread else found
                group = overlapping if known.overlaps else unseen if known.beside else alone
                group.extend((role, name, value) for value in values if value != getattr(params, name))
    return overlapping + unseen + found + threads
