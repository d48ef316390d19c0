"""Why a setting was chosen, in words: what mattered, what was dropped, what was rejected and for which loss."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from voiceperf.judge.verdict import Verdict
from voiceperf.tune.space import Space
from voiceperf.tune.study import outcome_of
from voiceperf.tune.trial import ALONE, Importance, Trial

_ENOUGH_TRIALS = 30  # with fewer the estimate names whatever happened to differ
_MOST_LINES = 5
_MATTERS = 0.01


def importance(study: optuna.Study, space: Space, trials: Sequence[Trial]) -> Importance:
    """What mattered: over many trials by PED-ANOVA (Watanabe, Bansal & Hutter, 2023), else by what each saves alone.

    Alone, a parameter weighs by the logarithm of the time that its best single change leaves; what saves nothing, or is
    known to lose quality alone, has no weight.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) >= _ENOUGH_TRIALS:
        found, method = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator()), "over all trials"
    else:
        found, method = _savings(space, trials), "by what each saves alone"
    weights = {name: weight for name, weight in sorted(found.items(), key=lambda item: -item[1]) if weight > _MATTERS}
    return Importance(weights, method)


def _savings(space: Space, trials: Sequence[Trial]) -> dict[str, float]:
    """By parameter its share of the logarithms of what single changes save."""
    saved: dict[str, float] = {}
    for trial in trials:
        if trial.stage == ALONE and trial.ran and trial.ratio < 1 and trial.verdict != str(Verdict.FAIL):
            for name in space.changed(trial.choices):
                saved[name] = max(saved.get(name, 0.0), -math.log(trial.ratio))
    whole = sum(saved.values())
    return {name: saving / whole for name, saving in saved.items()}


def in_words(study: optuna.Study, space: Space, trials: Sequence[Trial], prefer: str) -> list[str]:
    """Some sentences on one engine's search."""
    fate = Counter("dropped" if trial.dropped else "ran" if trial.ran else "failed" for trial in trials)
    lines = [
        f"{space.engine}: {len(trials)} trials; {fate['ran']} were raced to the end,"
        f" {fate['dropped']} dropped as surely slower, {fate['failed']} did not run"
    ]
    mattered = importance(study, space, trials)
    if mattered.weights:
        shares = ", ".join(f"{name} {weight:.0%}" for name, weight in mattered.weights.items())
        lines.append(f"what mattered, {mattered.method}: {shares}")
    outcome = outcome_of(study, trials, prefer)
    chosen = outcome.chosen
    if chosen:
        lines.append(f"{prefer} takes {space.in_words(chosen.choices)}: {chosen.ratio:.2f} of the time")
    lines += [f"rejected when it was confirmed: {reason}" for reason in outcome.rejected]
    faster = [
        trial
        for trial in sorted(trials, key=lambda trial: trial.ratio)
        if trial.verdict == str(Verdict.FAIL) and (chosen is None or trial.ratio < chosen.ratio)
    ]
    lines += [
        f"rejected: {space.in_words(trial.choices)}: {trial.ratio:.2f} of the time, but {trial.reason}"
        for trial in faster[:_MOST_LINES]
    ]
    lines += [f"left out: {name}: {reason}" for name, reason in space.left_out.items()]
    return lines
