"""The search of one engine's space: hints, changes alone, combinations. Finished trials are never measured again."""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import optuna
import psutil
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.trial import FrozenTrial, TrialState

from voiceperf.judge.verdict import Verdict
from voiceperf.params import EngineParams
from voiceperf.quality.gate import Quality
from voiceperf.tune.budget import Budget
from voiceperf.tune.choice import Preference
from voiceperf.tune.space import Space
from voiceperf.tune.trial import ALONE, TOGETHER, Raced, Trial

SURELY_ALIVE = timedelta(minutes=10)  # another machine's trial that began earlier and has no end was killed
_WORTH_JUDGING = 0.98  # of the bar: what is less than 2% faster is not worth its quality's measurement
_TO_HINTS_AND_CHANGES = 3 / 4  # of the time; the rest is for combinations
_SEPARATOR = "|"  # Optuna's categories are plain values; a tuple is written as text


Measure = Callable[[EngineParams, float, str], Raced]
"""Races a candidate of a stage; the second argument is the ratio that it must not surely exceed."""

Judge = Callable[[EngineParams], Quality]
"""Judges a candidate's quality beside the baseline's."""


class Watch(Protocol):
    """Told what is being tried, and how it went."""

    def trying(self, role: str, what: str) -> None: ...

    def ended(self, role: str, trial: Trial, best: Trial | None) -> None: ...


class EngineSearch:
    """One engine's search in one study, which other processes may share."""

    def __init__(
        self,
        study: optuna.Study,
        space: Space,
        *,
        measure: Measure,
        judge: Judge,
        watch: Watch,
        prefer: Preference,
        hints: Sequence[EngineParams] = (),
    ) -> None:
        self._study, self._space, self._hints, self._prefer = study, space, hints, prefer
        self._measure, self._judge, self._watch = measure, judge, watch
        self._distributions: dict[str, BaseDistribution] = {
            name: CategoricalDistribution([_plain(value) for value in values]) for name, values in space.values.items()
        }

    def run(self, budget: Budget) -> None:
        """Go on until the time is over: hints, single changes, their best combination, less each part, the sampler's.

        What pays elsewhere comes first: on a slow machine there may be time for nothing else. So do single changes that
        a hint has; those for which there is no time now come once the combinations have been tried.
        """
        for hint in self._hints:
            self._enqueue(self._space.choices_of(hint), TOGETHER)
        while self._waiting() and not budget.is_over():
            self._one_trial()
            budget.one_done()
        changes = sorted(self._space.single_changes(), key=lambda change: not self._is_of_a_hint(change, self._hints))
        alone = budget.part(_TO_HINTS_AND_CHANGES)
        while not alone.is_over() and (change := self._untried(changes)) is not None:
            self._enqueue(change, ALONE)
            self._one_trial()
            alone.one_done()
        if combined := self._best_changes():
            self._enqueue(combined, TOGETHER)
        together = budget.part(1)
        while not together.is_over():
            if not self._waiting():
                self._enqueue_next(changes)
            self._one_trial()
            together.one_done()

    def _is_of_a_hint(self, change: Mapping[str, Any], hints: Iterable[EngineParams]) -> bool:
        return any(change.items() <= self._space.choices_of(hint).items() for hint in hints)

    def _proven(self) -> list[EngineParams]:
        """The hints that keep quality here."""
        kept = [trial.choices for trial in self.trials() if trial.feasible]
        return [hint for hint in self._hints if self._space.choices_of(hint) in kept]

    def _enqueue_next(self, changes: Iterable[dict[str, Any]]) -> None:
        """The best without one of its changes, then the single changes that are left; then the sampler proposes."""
        if (without := self._untried(self._undone())) is not None:
            self._enqueue(without, TOGETHER)
        elif (change := self._untried(changes)) is not None:
            self._enqueue(change, ALONE)

    def _undone(self) -> Iterator[dict[str, Any]]:
        """The best setting with one change left out, first what helped least alone."""
        best = self.best()
        if best is None:
            return
        alone = {self._space.in_words(trial.choices): trial.ratio for trial in self.trials() if trial.stage == ALONE}
        changed = self._space.changed(best.choices)
        words = {name: self._space.in_words({name: value}) for name, value in changed.items()}
        for name in sorted(changed, key=lambda name: -alone.get(words[name], 0.0)):
            yield {**best.choices, name: self._space.values[name][0]}

    def trials(self) -> list[Trial]:
        """Every finished trial, in the order in which they began."""
        return finished(self._study, self._space)

    def best(self) -> Trial | None:
        """The feasible trial that is preferred."""
        return min((trial for trial in self.trials() if trial.feasible), key=self._prefer.key, default=None)

    def _enqueue(self, change: Mapping[str, Any], stage: str) -> None:
        """Plan a trial, unless it is known already, or not of this machine's space."""
        if any(value not in self._space.values[name] for name, value in change.items()):
            return
        if not self._is_known(change):
            self._study.enqueue_trial(self._values(change), user_attrs={"stage": stage})

    def _untried(self, changes: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
        return next((change for change in changes if not self._is_known(change)), None)

    def _is_known(self, change: Mapping[str, Any]) -> bool:
        values = self._values(change)
        return any(_is_at(trial, values) for trial in self._known())

    def _values(self, change: Mapping[str, Any]) -> dict[str, Any]:
        """The whole point of the space, as the study writes it."""
        return {name: _plain(change.get(name, values[0])) for name, values in self._space.values.items()}

    def _known(self) -> Iterator[FrozenTrial]:
        """Trials that are done, waiting, or still being measured by someone."""
        for trial in self._study.get_trials(deepcopy=False):
            if trial.state is not TrialState.RUNNING or _is_alive(trial):
                yield trial

    def _waiting(self) -> bool:
        return bool(self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,)))

    def _best_changes(self) -> dict[str, Any]:
        """Of each parameter the value that alone was surely faster than the starting point, and fastest of its kind."""
        found: dict[str, Trial] = {}
        for trial in self.trials():
            changed = self._space.changed(trial.choices)
            if trial.stage != ALONE or len(changed) != 1 or trial.dropped or trial.high >= 1:
                continue
            if not (trial.feasible or self._is_of_a_hint(changed, self._proven())):
                continue
            (name,) = changed
            if name not in found or trial.ratio < found[name].ratio:
                found[name] = trial
        return {name: trial.choices[name] for name, trial in found.items()}

    def _one_trial(self) -> None:
        trial = self._study.ask(self._distributions)
        trial.set_user_attr("stage", trial.user_attrs.get("stage", TOGETHER))
        trial.set_user_attr("by", [platform.node(), os.getpid(), psutil.Process().create_time()])
        if self._is_taken(trial):
            self._study.tell(trial, state=TrialState.FAIL)
            return
        choices = {name: _value_of(self._space, name, plain) for name, plain in trial.params.items()}
        candidate = self._space.at(choices)
        if candidate is None:
            self._tell(trial, Raced(None, failure="these values exclude one another"), None)
            return
        self._watch.trying(self._space.role, self._space.in_words(choices))
        stage = trial.user_attrs["stage"]
        bar = 1.0 if stage == ALONE else self._bar()
        raced = self._measure(candidate, bar, stage)
        worth = raced.ratio is not None and not raced.dropped and raced.ratio.estimate < bar * _WORTH_JUDGING
        if stage == ALONE and self._is_of_a_hint(self._space.changed(choices), self._proven()):
            worth = False  # it has been judged with the rest of the hint
        quality = self._judge(candidate) if worth else None
        self._tell(trial, raced, quality)

    def _is_taken(self, trial: optuna.Trial) -> bool:
        """Whether another process planned the same single change at the same moment, and began it first."""
        if trial.user_attrs["stage"] != ALONE:
            return False
        return any(other.number < trial.number and _is_at(other, trial.params) for other in self._known())

    def _bar(self) -> float:
        """The ratio that a combination must not surely exceed."""
        best = self.best()
        return 1.0 if best is None else self._prefer.bar(best)

    def _tell(self, trial: optuna.Trial, raced: Raced, quality: Quality | None) -> None:
        """The attributes first: once the study knows a trial's end, all of it is there."""
        ratio = raced.ratio
        verdict = _verdict(quality) if quality else ""
        facts = {
            "low": ratio.low if ratio else None,
            "high": ratio.high if ratio else None,
            "ratio": ratio.estimate if ratio else None,
            "dropped": raced.dropped,
            "verdict": str(verdict),
            "loss": quality.loss if quality else None,
            "reason": raced.failure or (quality.finding.reason if quality else ""),
        }
        for name, value in facts.items():
            trial.set_user_attr(name, value)
        # the sampler keeps away from what is above zero
        trial.set_constraint("quality", 1.0 if verdict is Verdict.FAIL else 0.0)
        if ratio is None:
            self._study.tell(trial, state=TrialState.FAIL)
        elif raced.dropped:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, ratio.estimate)
        frozen = self._study.get_trials(deepcopy=False)[trial.number]
        self._watch.ended(self._space.role, _as_trial(frozen, self._space), self.best())


def _verdict(quality: Quality) -> Verdict:
    """What is lost most likely is lost: a few loops make a WER too uncertain for the gate to be sure."""
    found = quality.finding.verdict
    is_lost = found is Verdict.INCONCLUSIVE and quality.loss is not None and quality.loss > 1
    return Verdict.FAIL if is_lost else found


def finished(study: optuna.Study, space: Space) -> list[Trial]:
    """A study's finished trials, in the order in which they began."""
    return [_as_trial(trial, space) for trial in study.get_trials(deepcopy=False) if _is_finished(trial)]


def _is_finished(trial: FrozenTrial) -> bool:
    return trial.state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL) and "reason" in trial.user_attrs


def _is_alive(trial: FrozenTrial) -> bool:
    """Whether a trial without an end may still come to one: its process lives, or may live on another machine."""
    machine, process, *started = trial.user_attrs.get("by", ("", 0))
    if machine == platform.node():
        try:
            return bool(started == [psutil.Process(process).create_time()])  # the number alone may be another's by now
        except psutil.NoSuchProcess:
            return False
    begun = trial.datetime_start
    return begun is None or datetime.now() - begun < SURELY_ALIVE


def _is_at(trial: FrozenTrial, values: Mapping[str, Any]) -> bool:
    """Whether a trial has these values, or was enqueued with them: it is begun before its values are written."""
    return values in (trial.params, trial.system_attrs.get("fixed_params"))


def _or_infinite(value: float | None) -> float:
    return math.inf if value is None else value


def _plain(value: Any) -> Any:
    return _SEPARATOR.join(value) if isinstance(value, tuple) else value


def _value_of(space: Space, name: str, plain: Any) -> Any:
    return next(value for value in space.values[name] if _plain(value) == plain and type(_plain(value)) is type(plain))


def _as_trial(trial: FrozenTrial, space: Space) -> Trial:
    facts = trial.user_attrs
    return Trial(
        number=trial.number,
        stage=facts["stage"],
        choices={name: _value_of(space, name, plain) for name, plain in trial.params.items()},
        ratio=_or_infinite(facts.get("ratio")),
        low=_or_infinite(facts.get("low")),
        high=_or_infinite(facts.get("high")),
        dropped=facts.get("dropped", False),
        verdict=facts.get("verdict", ""),
        loss=facts.get("loss"),
        reason=facts.get("reason", ""),
    )
