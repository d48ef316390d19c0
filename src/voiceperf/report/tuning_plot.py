"""A picture of a search: speed against quality with the chosen point, and what mattered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from voiceperf.judge.verdict import Verdict
from voiceperf.tune.choice import frontier, loss, preferred
from voiceperf.tune.trial import Trial

_ROW_INCHES = 3.4
_MOST_BARS = 8
_FAILED, _KEPT, _LINE = "#c44e52", "#4c72b0", "#222222"


@dataclass(frozen=True)
class Panel:
    """One engine's row of the picture."""

    engine: str
    trials: Sequence[Trial]
    importances: Mapping[str, float]
    prefer: str


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Write the picture as the path's ending says, PNG or SVG."""
    figure = Figure(figsize=(10, _ROW_INCHES * len(panels)), layout="constrained")
    rows = figure.subplots(len(panels), 2, squeeze=False)
    for panel, (left, right) in zip(panels, rows, strict=True):
        _speed_against_quality(panel, left)
        _what_mattered(panel, right)
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
    axes.set(title=panel.engine, xlabel="time over the baseline's", ylabel="loss (1: the gate's limit)")
    axes.legend(fontsize="small")


def _what_mattered(panel: Panel, axes: Axes) -> None:
    top = list(panel.importances.items())[:_MOST_BARS][::-1]
    axes.barh([name for name, _ in top], [weight for _, weight in top], color=_KEPT)
    axes.set(title="what mattered", xlim=(0, 1))
    if not top:
        axes.text(0.5, 0.5, "too few trials to tell", ha="center", va="center", transform=axes.transAxes)
