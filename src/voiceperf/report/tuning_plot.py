"""A picture of a search: speed against quality with the chosen point, and what each change alone buys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from voiceperf.judge.verdict import Verdict
from voiceperf.report.chart import CANDIDATE, FAILED, INK, Chart, look, save
from voiceperf.tune.choice import frontier, loss
from voiceperf.tune.space import Space
from voiceperf.tune.trial import ALONE, Importance, Trial

_ROW_INCHES = 3.4
_MOST_ROWS = 12

Tip = Callable[[Artist, str], None]
"""Says something where the pointer rests on a part of a picture; one on paper says nothing."""


def _no_tip(artist: Artist, words: str) -> None:
    pass


@dataclass(frozen=True)
class Panel:
    """One engine's row of the picture."""

    space: Space
    trials: Sequence[Trial]
    chosen: Trial | None
    importance: Importance


def draw(panels: Sequence[Panel], path: Path) -> None:
    """Write the picture as the path's ending says, PNG or SVG."""
    with look():
        figure = Figure(figsize=(15, _ROW_INCHES * len(panels)))
        rows = figure.subplots(len(panels), 3, squeeze=False)
        for panel, (left, middle, right) in zip(panels, rows, strict=True):
            _speed_against_quality(panel, left)
            _single_changes(panel, middle)
            _what_mattered(panel, right)
        save(figure, path)


def frontier_chart(panel: Panel) -> Chart:
    """Speed against quality alone, for a page."""
    with look():
        chart = Chart(3.6)
        _speed_against_quality(panel, chart.axes, chart.tip)
    return chart


def changes_chart(panel: Panel) -> Chart:
    """What each change alone buys, for a page."""
    with look():
        chart = Chart(3.6)
        _single_changes(panel, chart.axes, chart.tip)
    return chart


def importance_chart(panel: Panel) -> Chart:
    """What mattered, for a page."""
    with look():
        chart = Chart(3.6)
        _what_mattered(panel, chart.axes)
    return chart


def _speed_against_quality(panel: Panel, axes: Axes, tip: Tip = _no_tip) -> None:
    judged = [trial for trial in panel.trials if trial.loss is not None and trial.ran]
    for verdict, colour, label in ((True, FAILED, "loses quality"), (False, CANDIDATE, "keeps quality")):
        points = [trial for trial in judged if (trial.verdict == str(Verdict.FAIL)) is verdict]
        for trial in points:
            (dot,) = axes.plot([trial.ratio], [loss(trial)], "o", color=colour, markersize=5)
            tip(dot, f"{panel.space.in_words(trial.choices)}: {trial.ratio:.2f} of the time, {trial.verdict}")
        axes.plot([], [], "o", color=colour, markersize=5, label=label)
    front = frontier(panel.trials)
    axes.step(
        [t.ratio for t in front], [loss(t) for t in front], where="post", color=INK, linewidth=1, label="frontier"
    )
    chosen = panel.chosen
    if chosen:
        (star,) = axes.plot([chosen.ratio], [loss(chosen)], "*", markersize=14, color=INK)
        tip(star, f"chosen: {panel.space.in_words(chosen.choices)}")
        axes.plot([], [], "*", color=INK, label="chosen")
    axes.axhline(1.0, color=FAILED, linewidth=1, linestyle=":")
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


def _single_changes(panel: Panel, axes: Axes, tip: Tip = _no_tip) -> None:
    """Each change's time with its interval; what is left of the line helps."""
    alone = sorted((t for t in panel.trials if t.stage == ALONE and t.ran), key=lambda trial: trial.ratio)
    for row, trial in enumerate(alone[:_MOST_ROWS]):
        colour = FAILED if trial.verdict == str(Verdict.FAIL) else CANDIDATE
        axes.plot([trial.low, trial.high], [row, row], color=colour, linewidth=2)
        (dot,) = axes.plot([trial.ratio], [row], "o", color=colour, markersize=5)
        tip(dot, f"{panel.space.in_words(trial.choices)}: {trial.ratio:.2f} [{trial.low:.2f}, {trial.high:.2f}]")
    labels = [panel.space.in_words(trial.choices) for trial in alone[:_MOST_ROWS]]
    axes.set_yticks(range(len(labels)), labels, fontsize="small")
    axes.invert_yaxis()
    axes.axvline(1.0, color=INK, linewidth=1)
    axes.set(title="what each change alone buys", xlabel="time over the baseline's")
    if not labels:
        axes.text(0.5, 0.5, "no change was tried alone", ha="center", va="center", transform=axes.transAxes)


def _what_mattered(panel: Panel, axes: Axes) -> None:
    """Each parameter's share of what was gained."""
    weights = dict(list(panel.importance.weights.items())[:_MOST_ROWS])
    axes.barh(list(weights), list(weights.values()), color=CANDIDATE)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
    axes.tick_params(axis="y", labelsize="small")
    axes.set(title=f"{panel.space.engine}: what mattered", xlabel=f"share, {panel.importance.method}", xlim=(0, 1))
    if not weights:
        axes.text(0.5, 0.5, "nothing saved time", ha="center", va="center", transform=axes.transAxes)
