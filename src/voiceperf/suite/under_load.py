"""A profile with all engines busy at once: whether it bears that, and how far it steps back until it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from voiceperf.call import CallRecording
from voiceperf.errors import EngineError
from voiceperf.judge.criteria import judge_load
from voiceperf.judge.verdict import Finding, Verdict, worst
from voiceperf.measure.contender import Side, of_profile
from voiceperf.profiles import Profile
from voiceperf.roles import ROLES
from voiceperf.suite.stability import run_load
from voiceperf.suite.workers import Workers

LOAD_S = 15.0  # how long all engines run at once

Say = Callable[[str], None]


@dataclass(frozen=True)
class Retreat:
    """One step back: which role, what was changed, and why."""

    role: str
    changes: Mapping[str, Any]
    reason: str

    def __str__(self) -> str:
        changes = ", ".join(f"{name} = {value}" for name, value in self.changes.items())
        return f"{self.role} steps back to {changes}: {self.reason}"


def under_load(call: CallRecording, profile: Profile, seconds: float = LOAD_S) -> Finding:
    """Whether one profile's engines bear the call's turns at once; an engine that does not run is a FAIL."""
    try:
        with Workers(call, {profile.name: Side(profile.name, profile)}, ROLES) as workers:
            return worst(judge_load(run_load(workers, profile.name, call.turns, seconds)))
    except EngineError as error:
        return Finding(Verdict.FAIL, str(error))


def until_borne(
    profile: Profile, load: Callable[[Profile], Finding], say: Say
) -> tuple[Profile, tuple[Retreat, ...], Finding]:
    """Give up half of all threads at a time until load is borne, or nothing is left to give.

    Args:
        profile: the one on trial.
        load: judges a profile under load.
        say: told every step, and the last finding.
    """
    retreats: list[Retreat] = []
    while True:
        finding = load(profile)
        changes = {role: _fewer_threads(profile, role) for role in ROLES}
        if finding.verdict is not Verdict.FAIL or not any(changes.values()):
            say(f"under load: {finding.reason}")
            return profile, tuple(retreats), finding
        for role, values in changes.items():
            if values:
                setting = profile[role]
                profile = profile.having(role, replace(setting, values={**setting.values, **values}))
                retreats.append(Retreat(role, values, finding.reason))
                say(str(retreats[-1]))


def _fewer_threads(profile: Profile, role: str) -> dict[str, int]:
    """Half of the threads of each kind, where there are two or more."""
    params = of_profile(profile, role).params
    now = {name: params.threads(name) for name in params.thread_names}
    return {name: count // 2 for name, count in now.items() if count > 1}
