"""A picture of a search: speed against quality with the chosen point, and what each change alone buys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter

from voiceperf.judge.verdict import Verdict
from voiceperf.tune.choice import frontier, loss, preferred
from voiceperf.tune.space import Space
from voiceperf.tune.trial import ALONE, Trial

_ROW_INCHES = 3.4
_MOST_ROWS = 12
_FAILED, _KEPT, _LINE = "#c44e52", "#4c72b0", "#222222"


@dataclass(frozen=True)
class Panel:
    """One engine's row of the picture."""

    space: Space
    trials: Sequence[Trial]
    prefer: str


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Write the picture as the path's ending says, PNG or SVG."""
    figure = Figure(figsize=(10, _ROW_INCHES * len(panels)), layout="constrained")
    rows = figure.subplots(len(panels), 2, squeeze=False)
    for panel, (left, right) in zip(panels, rows, strict=True):
        _speed_against_quality(panel, left)
        _single_changes(panel, right)
    figure.savefig(path, dpi=120)


def _speed_against_quality(panel: Panel, axes: Axes) -> None:
    judged = [trial for trial in panel.trials if trial.loss is not None and trial.ran]
    for verdict, colour, label in ((True, _FAILED, "loses quality"), (False, _KEPT, "keeps quality")):
        points = [trial for trial in judged if (trial.verdict == str(Verdict.FAIL)) is verdict]
        axes.scatter([t.ratio for t in points], [loss(t) for t in points], color=colour, label=label, s=22)
    front = frontier(panel.trials)
    axes.step(
        [t.ratio for t in front], [loss(t) for t in front], where="post", color=_LINE, linewidth=1, label="frontier"
    )
    chosen = preferred(panel.trials, panel.prefer)
    if chosen:
        axes.scatter([chosen.ratio], [loss(chosen)], marker="*", s=160, color=_LINE, label=f"chosen ({panel.prefer})")
    axes.axhline(1.0, color=_FAILED, linewidth=1, linestyle=":")
    axes.set_yscale("symlog", linthresh=1.0)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.set(
        title=f"{panel.space.engine}: speed against quality",
        xlabel="time over the baseline's",
        xlim=(0, 1.05),
        ylim=(-0.1, None),
        ylabel="quality lost (1: the gate's limit)",
    )
    axes.legend(fontsize="small")


def _single_changes(panel: Panel, axes: Axes) -> None:
    """Each change's time with its interval; what is left of the line helps."""
    alone = sorted((t for t in panel.trials if t.stage == ALONE and t.ran), key=lambda trial: trial.ratio)
    for row, trial in enumerate(alone[:_MOST_ROWS]):
        colour = _FAILED if trial.verdict == str(Verdict.FAIL) else _KEPT
        axes.plot([trial.low, trial.high], [row, row], color=colour, linewidth=2)
        axes.plot([trial.ratio], [row], "o", color=colour, markersize=5)
    labels = [panel.space.in_words(trial.choices) for trial in alone[:_MOST_ROWS]]
    axes.set_yticks(range(len(labels)), labels, fontsize="small")
    axes.invert_yaxis()
    axes.axvline(1.0, color=_LINE, linewidth=1)
    axes.set(title="what each change alone buys", xlabel="time over the baseline's")
    if not labels:
        axes.text(0.5, 0.5, "no change was tried alone", ha="center", va="center", transform=axes.transAxes)
