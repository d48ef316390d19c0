"""Settling: a profile that hears, thinks or speaks worse here, or does not bear load, steps back until it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voiceperf.call import CallRecording
from voiceperf.errors import EngineError
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.log import Progress, silent
from voiceperf.measure.contender import Side, of_profile
from voiceperf.profiles import Profile, Setting
from voiceperf.quality.corpus import Corpus
from voiceperf.quality.gate import QualityGate
from voiceperf.roles import ROLES
from voiceperf.suite.under_load import Retreat, Say, under_load, until_borne


@dataclass(frozen=True)
class Settled:
    """The profile that holds, and the steps that led to it."""

    profile: Profile
    retreats: tuple[Retreat, ...]
    load: Finding


class Settlement:
    """One profile on trial beside a baseline whose quality it must keep.

    Args:
        call: what is replayed under load, and spoken.
        corpus: what quality is judged on.
        baseline: the profile to be no worse than, and the last resort.
    """

    def __init__(self, call: CallRecording, corpus: Corpus, baseline: Profile, *, progress: Progress = silent) -> None:
        self._call, self._baseline = call, baseline
        self._gate = QualityGate(call, corpus, progress=progress)

    def settle(self, profile: Profile, say: Say, last_good: Profile | None = None) -> Settled:
        """The profile with every engine as far back as it takes, and no further.

        Args:
            profile: the one on trial.
            say: told every finding and every step as it comes.
            last_good: a profile that held here before, tried first where the one on trial fails.

        Raises:
            EngineError: even the baseline's setting fails.
        """
        retreats: list[Retreat] = []
        for role in ROLES:
            rungs = self._rungs(role, profile, last_good)
            profile = self._with_quality(role, rungs, retreats, say)
        profile, under_load_too, load = until_borne(profile, self._load, say)
        return Settled(profile, (*retreats, *under_load_too), load)

    def _with_quality(self, role: str, rungs: Sequence[Profile], retreats: list[Retreat], say: Say) -> Profile:
        for number, candidate in enumerate(rungs):
            finding = self._quality(candidate, role)
            if finding.verdict is not Verdict.FAIL:
                say(f"{role}: {'not judged: ' if finding.verdict is Verdict.INVALID else ''}{finding.reason}")
                return candidate
            if number + 1 < len(rungs):
                retreats.append(Retreat(role, _changes(role, candidate, rungs[number + 1]), finding.reason))
                say(str(retreats[-1]))
        raise EngineError(f"{role} fails even as profile {self._baseline.name!r} has it: {finding.reason}")

    def _rungs(self, role: str, profile: Profile, last_good: Profile | None) -> list[Profile]:
        """The role as the profile plays it, as it held here before, steps back, as the baseline does; none twice."""
        good = [profile.playing(role, last_good)] if last_good else []
        steps = (profile.having(role, setting) for setting in _steps_back(profile, role))
        found: list[Profile] = []
        for rung in (profile, *good, *steps, profile.playing(role, self._baseline)):
            if all(_played(role, rung) != _played(role, other) for other in found):
                found.append(rung)
        return found

    def _quality(self, profile: Profile, role: str) -> Finding:
        sides = (Side(one.name, one) for one in (self._baseline, profile))
        return self._gate.holds(role, *sides).finding

    def _load(self, profile: Profile) -> Finding:
        return under_load(self._call, profile)


def _played(role: str, profile: Profile) -> tuple[str, Setting]:
    return profile.engine_of(role), profile[role]


def _steps_back(profile: Profile, role: str) -> Iterator[Setting]:
    """Each of the engine's own steps, on top of those before."""
    setting = profile[role]
    for changes in of_profile(profile, role).params.safer():
        setting = replace(setting, values={**setting.values, **changes})
        yield setting


def _changes(role: str, before: Profile, after: Profile) -> dict[str, Any]:
    """What is written otherwise; a value that is not written any more is the library's default."""
    default = "the default"
    engine, other = before.engine_of(role), after.engine_of(role)
    old, new = before[role].values, after[role].values
    if engine != other:
        return {"engine": other, **new}
    names = [*new, *(name for name in old if name not in new)]
    changed = {name: new.get(name, default) for name in names}
    return {name: value for name, value in changed.items() if old.get(name, default) != value}
