"""Why a setting was chosen, in words: what mattered, what was dropped, what was rejected and for which loss."""

from __future__ import annotations

from collections import Counter

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState

from voiceperf.judge.verdict import Verdict
from voiceperf.tune.choice import preferred
from voiceperf.tune.space import Space
from voiceperf.tune.trial import Trial

_ENOUGH_TRIALS = 30  # with fewer the estimate names whatever happened to differ
_MOST_LINES = 5
_MATTERS = 0.01


def importances(study: optuna.Study) -> dict[str, float]:
    """How much each parameter decides about the fast trials, adding up to 1, the largest first; empty with few trials.

    PED-ANOVA (Watanabe, Bansal & Hutter, 2023).
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if len(complete) < _ENOUGH_TRIALS:
        return {}
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def in_words(study: optuna.Study, space: Space, trials: list[Trial], prefer: str) -> list[str]:
    """Some sentences on one engine's search."""
    fate = Counter("dropped" if trial.dropped else "ran" if trial.ran else "failed" for trial in trials)
    lines = [
        f"{space.engine}: {len(trials)} trials; {fate['ran']} were raced to the end,"
        f" {fate['dropped']} dropped as surely slower, {fate['failed']} did not run"
    ]
    weights = {name: weight for name, weight in importances(study).items() if weight > _MATTERS}
    if weights:
        lines.append("what mattered: " + ", ".join(f"{name} {weight:.0%}" for name, weight in weights.items()))
    chosen = preferred(trials, prefer)
    if chosen:
        lines.append(f"{prefer} takes {space.in_words(chosen.choices)}: {chosen.ratio:.2f} of the time")
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
