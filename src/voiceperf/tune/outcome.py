"""What a session chose, kept with its study: so that an explanation tells the choice that was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import optuna

from voiceperf.tune.choice import preferred
from voiceperf.tune.trial import Trial

_KEPT = "outcome"


@dataclass(frozen=True)
class Outcome:
    """The trial whose setting was confirmed, if any, and the points of the frontier that did not hold."""

    chosen: Trial | None
    rejected: Sequence[str] = ()


def keep_outcome(study: optuna.Study, prefer: str, outcome: Outcome) -> None:
    """Remember the latest session's choice under a preference."""
    number = outcome.chosen.number if outcome.chosen else None
    kept = study.user_attrs.get(_KEPT, {})
    study.set_user_attr(_KEPT, {**kept, prefer: {"chosen": number, "rejected": list(outcome.rejected)}})


def outcome_of(study: optuna.Study, trials: Sequence[Trial], prefer: str) -> Outcome:
    """What was chosen; where no session has come to that yet, what the preference picks of the search."""
    kept = study.user_attrs.get(_KEPT, {}).get(prefer)
    if kept is None:
        return Outcome(preferred(trials, prefer))
    return Outcome(next((trial for trial in trials if trial.number == kept["chosen"]), None), kept["rejected"])
