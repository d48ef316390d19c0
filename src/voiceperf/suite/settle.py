"""Settling: a profile that hears, thinks or speaks worse here, or does not bear load, steps back until it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from voiceperf.call import CallRecording
from voiceperf.engines import ENGINES, params_class
from voiceperf.errors import EngineError
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.log import Progress, silent
from voiceperf.measure.contender import Side
from voiceperf.profiles import Profile, Setting
from voiceperf.quality.corpus import Corpus
from voiceperf.quality.gate import QualityGate
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
        for engine in ENGINES:
            rungs = self._rungs(engine, profile, last_good)
            profile = self._with_quality(profile, engine, rungs, retreats, say)
        profile, under_load_too, load = until_borne(profile, self._load, say)
        return Settled(profile, (*retreats, *under_load_too), load)

    def _with_quality(
        self, profile: Profile, engine: str, rungs: Sequence[Setting], retreats: list[Retreat], say: Say
    ) -> Profile:
        for number, setting in enumerate(rungs):
            candidate = profile.having(engine, setting)
            finding = self._quality(candidate, engine)
            if finding.verdict is not Verdict.FAIL:
                say(f"{engine}: {finding.reason}")
                return candidate
            if number + 1 < len(rungs):
                retreats.append(Retreat(engine, _changes(setting, rungs[number + 1]), finding.reason))
                say(str(retreats[-1]))
        raise EngineError(f"{engine} fails even as profile {self._baseline.name!r} has it: {finding.reason}")

    def _rungs(self, engine: str, profile: Profile, last_good: Profile | None) -> list[Setting]:
        """The profile's setting, what held here before, steps back from it, the baseline's; none of them twice."""
        good = [last_good[engine]] if last_good else []
        found: list[Setting] = []
        for rung in (profile[engine], *good, *_steps_back(engine, profile[engine]), self._baseline[engine]):
            if rung not in found:
                found.append(rung)
        return found

    def _quality(self, profile: Profile, engine: str) -> Finding:
        sides = (Side(one.name, one) for one in (self._baseline, profile))
        return self._gate.holds(engine, *sides).finding

    def _load(self, profile: Profile) -> Finding:
        return under_load(self._call, profile)


def _steps_back(engine: str, setting: Setting) -> Iterator[Setting]:
    """Each of the engine's own steps, on top of those before."""
    for changes in params_class(engine).parse(setting.values).safer():
        setting = replace(setting, values={**setting.values, **changes})
        yield setting


def _changes(before: Setting, after: Setting) -> dict[str, Any]:
    """What is written otherwise; a value that is not written any more is the library's default."""
    names = [*after.values, *(name for name in before.values if name not in after.values)]
    default = "the default"
    changed = {name: after.values.get(name, default) for name in names}
    return {name: value for name, value in changed.items() if before.values.get(name, default) != value}
