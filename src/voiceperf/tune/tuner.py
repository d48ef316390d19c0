"""Tuning: each engine's space searched, a point of its frontier chosen, and the whole profile confirmed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import optuna
from optuna.storages import BaseStorage

from voiceperf.call import CallRecording
from voiceperf.errors import ServiceError
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.clock import Clock, SystemClock, Timing
from voiceperf.measure.contender import Contender, Side, of_profile
from voiceperf.measure.experiment import Start
from voiceperf.measure.launch import launch
from voiceperf.params import EngineParams, known_default
from voiceperf.profiles import Profile, Setting
from voiceperf.quality.corpus import Corpus
from voiceperf.quality.gate import Quality, QualityGate
from voiceperf.quality.outputs import Outputs
from voiceperf.roles import HEARING, ROLES, SPEAKING, THINKING
from voiceperf.suite.under_load import Retreat, under_load, until_borne
from voiceperf.suite.workloads import duel_requests
from voiceperf.tune.budget import Budget
from voiceperf.tune.choice import PREFERENCES, fastest, frontier
from voiceperf.tune.search import EngineSearch, Watch, finished
from voiceperf.tune.space import Space, space_around
from voiceperf.tune.study import Outcome, keep_outcome, kept_study, study_of
from voiceperf.tune.together import Change, Stage, tune_together, turn_changes
from voiceperf.tune.trial import ALONE, Raced, Trial, race

# of the budget, to search; the baseline that hears is the slowest to run. The rest is for confirming, load and whole
# turns
_SHARES = {HEARING: 0.22, THINKING: 0.14, SPEAKING: 0.17}
_PLANNED = 0.96  # of the budget: the last trial and its fresh processes end when they end
_CONFIRMING_LOOKS, _SURE_ENOUGH = (2, 4, 8), 0.1  # beside slow baselines, where a gain is tens of hundredths
_ALONE_LOOKS = (1, 2)  # rounds
_MEETING_LOOKS, _ENOUGH = (4, 8, 16), 0.015  # fast settings take little time, and differ by little
_ONE_CHANGE_S = 60  # services start, and a change of whole turns is tried twice
_NEVER_DROPPED = float("inf")


@dataclass(frozen=True)
class RoleFound:
    """What was found of one role's engine; `setting` is the baseline's where nothing better holds."""

    space: Space
    trials: Sequence[Trial]
    setting: Setting
    chosen: Trial | None
    against: Mapping[str, Interval | None] = field(default_factory=dict)  # ratios in fresh processes, by profile
    quality: str = ""
    rejected: Sequence[str] = ()  # points of the frontier that did not hold when confirmed, with the reason


@dataclass(frozen=True)
class Found:
    """The tuned profile, and how each role came to its setting."""

    profile: Profile
    roles: Mapping[str, RoleFound]
    load: Finding  # with all engines busy at once
    retreats: Sequence[Retreat] = ()  # what it took to bear that
    together: Sequence[Change] = ()


class Tuner:
    """One session of tuning.

    Args:
        call: whose turns with the shortest replies are raced, as in a duel.
        corpora: what quality is judged on while searching, and when confirming.
        baselines: the profile to start from and to keep the quality of, then others to be confirmed against.
        hints: profiles whose settings are tried early, because they hold elsewhere.
        standing: what is in force, and stays so for engines that are not tuned.
        storage: where trials are kept.
        prefer: one of PREFERENCES.
    """

    def __init__(
        self,
        call: CallRecording,
        corpora: tuple[Corpus, Corpus],
        baselines: Sequence[Profile],
        hints: Sequence[Profile],
        standing: Profile,
        *,
        storage: BaseStorage,
        prefer: str,
        clock: Clock | None = None,
    ) -> None:
        self._call, self._storage, self._hints = call, storage, hints
        self._baseline, self._others, self._standing = baselines[0], baselines, standing
        outputs = Outputs()
        self._quick, self._whole = (QualityGate(call, corpus, outputs=outputs) for corpus in corpora)
        self._material = f"{call.digest()}-{corpora[0].digest()}-{corpora[0].portion}"
        self._name, self._prefer, self._clock = prefer, PREFERENCES[prefer], clock or SystemClock()

    def tune(self, roles: Sequence[str], budget_s: float, watch: Watch) -> Found:
        """Search, choose and confirm, one engine after the other; then all of them under load, and on whole turns.

        Confirming is never cut short, so a budget of few minutes may be exceeded.
        """
        profile = replace(self._standing, name="machine", summary="tuned on this machine", origin={})
        whole, found = Budget(self._clock, budget_s * _PLANNED), {}
        for role in (role for role in ROLES if role in roles):
            share = _SHARES[role] / sum(_SHARES[other] for other in roles) * sum(_SHARES.values())
            profile = profile.playing(role, self._baseline)
            space, study = self._search(role, profile, Budget(self._clock, budget_s * share), watch)
            watch.trying(role, "confirming")
            found[role] = self._confirmed(role, profile, space, finished(study, space))
            keep_outcome(study, self._name, Outcome(found[role].chosen, found[role].rejected))
            profile = profile.having(role, found[role].setting)
        bears = partial(under_load, self._call)
        profile, retreats, load = until_borne(profile, bears, partial(watch.trying, "all at once"))
        spaces = {role: one.space for role, one in found.items()}
        changes: list[Change] = []
        if len(found) == len(ROLES) and whole.left_s() > _ONE_CHANGE_S:
            rest = Budget(self._clock, whole.left_s())
            try:
                with Stage(self._call, profile) as stage:
                    planned = _in_time(turn_changes(profile, spaces), rest, watch)
                    profile, changes = tune_together(stage, profile, planned, self._keeps, bears)
            except ServiceError as error:  # what was found for each engine alone is not lost
                watch.trying("whole turns", f"no more: {error}")
        if any(change.kept for change in changes):
            load = bears(profile)
        for role, one in found.items():
            if profile[role] != one.setting:  # it stepped back, or a whole turn is shorter otherwise
                watch.trying(role, "confirming what has changed since")
                against = self._beside(of_profile(profile, role).params)
                quality = self._quality(self._whole, profile, role).text
                found[role] = replace(one, setting=profile[role], against=against, quality=quality)
        return Found(profile, found, load, retreats, changes)

    def kept(self, role: str) -> tuple[optuna.Study | None, Space]:
        """One engine's study as earlier sessions left it, if any did, and its space; nothing is measured or written."""
        start = of_profile(self._baseline, role)
        space = space_around(start.params)
        return kept_study(self._storage, space, start, self._material), space

    def _search(self, role: str, profile: Profile, budget: Budget, watch: Watch) -> tuple[Space, optuna.Study]:
        start = of_profile(self._baseline, role)
        space = space_around(start.params, making=lambda title, *_: watch.trying(role, title))
        study = study_of(self._storage, space, start, self._material)
        search = EngineSearch(
            study,
            space,
            measure=self._race,
            judge=lambda params: self._judge(profile, params),
            watch=watch,
            prefer=self._prefer,
            hints=[of_profile(hint, role).params for hint in self._hints],
        )
        search.run(budget)
        return space, study

    def _race(self, params: EngineParams, bar: float, stage: str) -> Raced:
        """Beside the baseline; of a change alone it is enough to know whether it helps."""
        start = self._against(self._baseline, params)
        return race(start, bar, _ALONE_LOOKS, wins_below=bar) if stage == ALONE else race(start, bar)

    def _judge(self, profile: Profile, params: EngineParams) -> Quality:
        return self._quality(self._quick, profile.having(params.role, setting_of(params)), params.role)

    def _keeps(self, profile: Profile, role: str) -> Finding:
        return self._quality(self._whole, profile, role).finding

    def _quality(self, gate: QualityGate, profile: Profile, role: str) -> Quality:
        return gate.holds(role, Side(self._baseline.name, self._baseline), Side(profile.name, profile))

    def _confirmed(self, role: str, profile: Profile, space: Space, trials: list[Trial]) -> RoleFound:
        """The preferred point of the frontier that still holds on all of the material, in fresh processes."""
        rejected: list[str] = []
        for trial in self._ranked(space, trials):
            params = self._params(space, trial)
            setting = setting_of(params)
            quality = self._quality(self._whole, profile.having(role, setting), role)
            if quality.finding.verdict is Verdict.PASS:
                return RoleFound(space, trials, setting, trial, self._beside(params), quality.text, rejected)
            rejected.append(f"{trial.ratio:.3f} of the time, but {quality.finding.reason}")
        return RoleFound(space, trials, self._baseline[role], None, rejected=rejected)

    def _beside(self, params: EngineParams) -> dict[str, Interval | None]:
        """The time over that of each baseline, in fresh processes."""
        return {
            other.name: race(self._against(other, params), _NEVER_DROPPED, _CONFIRMING_LOOKS, enough=_SURE_ENOUGH).ratio
            for other in self._others
        }

    def _ranked(self, space: Space, trials: list[Trial]) -> list[Trial]:
        """The frontier, the preferred first; where speed decides, first the one that wins the playoff."""
        ranked = sorted(frontier(trials), key=self._prefer.key)
        if self._prefer is not PREFERENCES["speed"]:
            return ranked

        def meet(best: Trial, rival: Trial) -> Raced:
            first, second = (Contender(str(one.number), self._params(space, one)) for one in (best, rival))
            start = partial(launch, first, second, duel_requests(self._call, space.role), waiting_ns)
            return race(start, _NEVER_DROPPED, _MEETING_LOOKS, enough=_ENOUGH)

        winner = fastest(trials, meet, self._shipped(space, trials))
        return [winner, *(trial for trial in ranked if trial is not winner)] if winner else ranked

    def _shipped(self, space: Space, trials: list[Trial]) -> Trial | None:
        """The trial of a shipped setting, if there was time for one."""
        settings = [of_profile(hint, space.role).params for hint in self._hints]
        return next((t for t in trials if t.ran and any(t.choices == space.choices_of(one) for one in settings)), None)

    def _params(self, space: Space, trial: Trial) -> EngineParams:
        """As it was tried; what can be judged only beside other engines is as a shipped profile has it."""
        shipped = [space.beside_as(of_profile(hint, space.role).params) for hint in self._hints]
        params = space.at({**trial.choices, **{name: value for one in shipped for name, value in one.items()}})
        assert params is not None  # it has run
        return params

    def _against(self, other: Profile, params: EngineParams) -> Start:
        """Begins a launch of two fresh processes."""
        requests = duel_requests(self._call, params.role)
        return partial(launch, of_profile(other, params.role), Contender("trial", params), requests, waiting_ns)


def setting_of(params: EngineParams) -> Setting:
    """As a profile has it: what differs from the declared defaults."""
    values = params.as_dict()
    return Setting({n: v for n, v in values.items() if getattr(params, n) != known_default(params, n)})


def waiting_ns(timing: Timing) -> float:
    """What is made smallest: the geometric mean of the wait for all of an answer and for its first sound.

    Both matter to who waits; for engines that mark no first sound they are the same.
    """
    return math.sqrt(timing.wall_ns * timing.until_heard_ns)


def _in_time(changes: Iterable[tuple[str, str, Any]], budget: Budget, watch: Watch) -> Iterator[tuple[str, str, Any]]:
    for role, name, value in changes:
        if budget.is_over():
            return
        watch.trying("whole turns", f"{role}.{name} = {value}")
        yield role, name, value
        budget.one_done()
