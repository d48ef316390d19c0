"""What tuning found: what each change alone buys, the frontier, and what was chosen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from voiceperf.judge.statistics import Interval
from voiceperf.report.tables import as_markdown
from voiceperf.tune.choice import frontier, loss
from voiceperf.tune.space import Space
from voiceperf.tune.trial import ALONE, Trial

if TYPE_CHECKING:  # these bring Optuna with them, which takes half a second to import
    from voiceperf.tune.together import Change
    from voiceperf.tune.tuner import RoleFound


def single_changes(space: Space, trials: Iterable[Trial]) -> Table:
    """One row for each change that was tried alone, the most useful first."""
    table = Table(*_alone_columns(space), title="what each change alone buys")
    for row in _alone_rows(space, trials):
        table.add_row(*row)
    return table


def tuning_markdown(engines: Iterable[tuple[Space, Sequence[Trial], Sequence[str]]], picture: str) -> str:
    """The same for a pull request or a wiki, with the words on each engine and the picture.

    Args:
        engines: each one's space, trials and words.
        picture: its file, as a link from where the Markdown is.
    """
    parts = ["### voiceperf tune: what was found, and why", "", f"![what each change buys]({picture})", ""]
    for space, trials, words in engines:
        table = as_markdown(_alone_columns(space), _alone_rows(space, trials))
        parts += [f"#### {space.engine}", "", table, "", *(f"- {line}" for line in words), ""]
    return "\n".join(parts)


def _alone_columns(space: Space) -> list[str]:
    return [f"{space.engine}: one change", "time over the baseline's", "quality"]


def _alone_rows(space: Space, trials: Iterable[Trial]) -> list[tuple[str, str, str]]:
    alone = sorted((trial for trial in trials if trial.stage == ALONE), key=lambda trial: trial.ratio)
    return [(space.in_words(trial.choices), _ratio(trial), _quality(trial)) for trial in alone]


def speed_against_quality(found: RoleFound) -> Table:
    """The frontier, fastest first, and the chosen point, marked: it may have won only when rivals met directly."""
    table = Table("", "time", "loss", f"{found.space.engine}: settings", title="speed against quality")
    chosen = found.chosen.number if found.chosen else None
    shown = {trial.number for trial in frontier(found.trials)} | {chosen}
    for trial in sorted((t for t in found.trials if t.number in shown), key=lambda trial: trial.ratio):
        mark = ">" if trial.number == chosen else ""
        lost = "-" if trial.loss is None else f"{loss(trial):.0%}"
        table.add_row(mark, _ratio(trial), lost, found.space.in_words(trial.choices))
    return table


def confirmation(found: Mapping[str, RoleFound]) -> Table:
    """The chosen setting of each engine beside the baselines, in fresh processes."""
    names = list(dict.fromkeys(name for one in found.values() for name in one.against))
    table = Table("role", *(f"time over {name}'s" for name in names), "quality", title="confirmed")
    for role, one in found.items():
        table.add_row(role, *(_interval(one.against.get(name)) for name in names), one.quality or "the baseline's")
    return table


def together(changes: Iterable[Change]) -> Table:
    """What was tried on whole turns, with all engines alive."""
    table = Table("one change", "time of a turn over that without", "kept", title="all together")
    for change in changes:
        change_in_words = f"{change.role}.{change.name} = {_short(change.value)}"
        table.add_row(change_in_words, _interval(change.ratio), f"no, {change.refusal}" if change.refusal else "yes")
    return table


def _ratio(trial: Trial) -> str:
    if not trial.ran:
        return f"does not run: {trial.reason}"
    return f"{trial.ratio:.2f} [{trial.low:.2f}, {trial.high:.2f}]{' dropped' if trial.dropped else ''}"


def _quality(trial: Trial) -> str:
    return f"{trial.verdict}: {trial.reason}" if trial.verdict == "FAIL" else trial.verdict or "not measured"


def _interval(interval: Interval | None) -> str:
    return f"{interval.estimate:.2f} [{interval.low:.2f}, {interval.high:.2f}]" if interval else "-"


def _short(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
