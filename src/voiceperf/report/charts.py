"""The pictures of a run: intervals beside their bars, every pair, where a turn's time goes, history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from voiceperf.history.trend import Trend
from voiceperf.judge.verdict import Verdict
from voiceperf.live.stages import OVERALL, STAGES
from voiceperf.report.chart import BASELINE, CANDIDATE, FAILED, GRID, INK, MUTED, Chart, look
from voiceperf.report.story import SURE, Pairs, Row

# colours that the colour-blind tell apart (Okabe & Ito, "Color universal design", 2008), on white and on black
_STAGE_COLOURS = ("#d55e00", "#999999", "#0072b2", "#e69f00", "#56b4e9", "#009e73", "#cc79a7")


def interval_strip(row: Row) -> Chart:
    """A figure's interval, left of its bar where it passes; the aim is dotted."""
    assert row.figure is not None
    with look():
        chart = Chart(0.62, 2.6)
        axes, figure = chart.axes, row.figure
        right = max(row.bar, figure.high) * 1.12
        axes.axvspan(0, row.bar, color=GRID, alpha=0.5, linewidth=0)
        axes.axvline(row.bar, color=FAILED, linewidth=1.5)
        if row.aim is not None:
            axes.axvline(row.aim, color=MUTED, linewidth=1.2, linestyle=":")
        colour = CANDIDATE if row.verdict is Verdict.PASS else FAILED
        (line,) = axes.plot([figure.low, figure.high], [0, 0], color=colour, linewidth=6, solid_capstyle="butt")
        axes.plot([figure.estimate], [0], "|", color=colour, markersize=14, markeredgewidth=2)
        chart.tip(line, f"{figure.low:.3f} to {figure.high:.3f} with {SURE} certainty; the bar is {row.bar:g}")
        axes.set(xlim=(0, right), ylim=(-1, 1), yticks=[])
        axes.set_xticks([0, row.bar], ["-100%" if row.is_saving else "0", row.bar_in_words])
        axes.tick_params(length=2, labelsize=9)
        axes.spines["left"].set_visible(False)
    return chart


def pairs_chart(pairs: Pairs, baseline: str, candidate: str) -> Chart:
    """Every pair of every turn: two dots and the line between them."""
    with look():
        chart = Chart(0.9 + 0.42 * len(pairs))
        axes = chart.axes
        for row, turn in enumerate(sorted(pairs)):
            for number, (before, after) in enumerate(pairs[turn]):
                height = row + 0.5 * ((number + 0.5) / len(pairs[turn]) - 0.5)
                axes.plot([before, after], [height, height], color=GRID, linewidth=1, zorder=1)
                words = f"turn {turn}, pair {number + 1}: {before:.0f} ms -> {after:.0f} ms, {after / before - 1:+.1%}"
                for time_ms, colour in ((before, BASELINE), (after, CANDIDATE)):
                    (dot,) = axes.plot([time_ms], [height], "o", color=colour, markersize=4)
                    chart.tip(dot, words)
        axes.plot([], [], "o", color=BASELINE, label=baseline)
        axes.plot([], [], "o", color=CANDIDATE, label=candidate)
        axes.set_yticks(range(len(pairs)), [f"turn {turn}" for turn in sorted(pairs)])
        axes.invert_yaxis()
        axes.set(xlim=(0, None), xlabel="ms, less is better")
        axes.grid(axis="x")
        chart.figure.legend(loc="outside upper right", ncols=2)
    return chart


Stages = Mapping[int, Sequence[Mapping[str, float]]]
"""By turn the milliseconds of each stage, of every time it was measured."""


def stages_chart(stages_by_profile: Mapping[str, Stages]) -> Chart:
    """From the caller's last sound to the answer's first: a bar for each turn and setting, stage after stage."""
    turns = sorted({turn for stages in stages_by_profile.values() for turn in stages})
    rows = [
        (f"turn {turn}: {profile}" if profile == next(iter(stages_by_profile)) else profile, stages[turn])
        for turn in turns
        for profile, stages in stages_by_profile.items()
        if turn in stages
    ]
    with look():
        chart = Chart(1.5 + 0.27 * len(rows))
        taken = {stage for _, measured in rows for one in measured for stage in one}
        colours = zip(STAGES[:-1], _STAGE_COLOURS, strict=True)
        stages = [(stage, colour) for stage, colour in colours if stage in taken]
        for height, (label, measured) in enumerate(rows):
            left = 0.0
            for stage, colour in stages:
                spent = fmean(one.get(stage, 0.0) for one in measured)
                (bar,) = chart.axes.barh([height], [spent], left=left, color=colour, height=0.75)
                chart.tip(bar, f"{label}: {stage} {spent:.0f} ms of {_overall(measured):.0f}")
                left += spent
        for stage, colour in stages:
            chart.axes.barh([0], [0], color=colour, label=stage)
        chart.axes.set_yticks(range(len(rows)), [label for label, _ in rows])
        chart.axes.invert_yaxis()
        chart.axes.set(xlim=(0, None), xlabel="ms after the caller's last sound")
        chart.axes.grid(axis="x")
        chart.figure.legend(loc="outside upper left", ncols=3, fontsize=9.5)
    return chart


def _overall(measured: Sequence[Mapping[str, float]]) -> float:
    return fmean(one[OVERALL] for one in measured)


def history_chart(trend: Trend) -> Chart:
    """A benchmark over the saved runs, with its change points."""
    with look():
        chart = Chart(2.1)
        axes = chart.axes
        levels = trend.levels
        axes.plot(range(len(levels)), levels, color=GRID, linewidth=1.5)
        for place, (point, level) in enumerate(zip(trend.points, levels, strict=True)):
            (dot,) = axes.plot([place], [level], "o", color=CANDIDATE, markersize=6)
            words = f"run {_number(point.run.source)}, {point.run.date[:10]}, commit {point.run.commit[:9]}"
            chart.tip(dot, f"{words}: {point.median_s * 1e3:.1f} ms")
        for shift in trend.shifts():
            border = next(i for i, point in enumerate(trend.points) if point.run is shift.run) - 0.5
            line = axes.axvline(border, color=FAILED if shift.ratio > 1 else INK, linewidth=1.5, linestyle="--")
            chart.tip(line, f"{shift.ratio - 1:+.0%} since run {_number(shift.run.source)}")
            axes.text(border, axes.get_ylim()[1], f" {shift.ratio - 1:+.0%}", va="top", color=INK)
        axes.set_xticks(range(len(levels)), [_number(point.run.source) for point in trend.points])
        label = "over fixed work" if trend.is_normalised else "s"
        axes.set(ylim=(0, 1.12 * max(levels)), xlabel="saved run, less is better", ylabel=label)
        axes.grid(axis="y")
    return chart


def _number(source: str) -> str:
    return source.split("_", maxsplit=1)[0]


def card(headline: str, candidate: str, rows: Sequence[Row]) -> Chart:
    """The verdict on one picture for a chat: before and after of everything that is a time, each row by itself."""
    shown = [row for row in rows if row.before_ms and row.after_ms and row.is_saving]
    with look():
        chart = Chart(1.9 + 0.62 * len(shown), 9.2)
        axes = chart.axes
        for height, row in enumerate(shown):
            assert row.before_ms
            assert row.after_ms
            assert row.figure
            sides = (row.baseline, candidate) if height == 0 else (None, None)
            axes.barh([height - 0.18], [1.0], color=BASELINE, height=0.3, label=sides[0])
            axes.barh([height + 0.18], [row.figure.estimate], color=CANDIDATE, height=0.3, label=sides[1])
            axes.plot([row.figure.low, row.figure.high], [height + 0.18] * 2, color=INK, linewidth=2)
            axes.text(1.01, height - 0.18, f"{row.before_ms:.0f} ms", va="center", color=MUTED)
            saving = f"{row.after_ms:.0f} ms, {row.figure.estimate - 1:+.0%}"
            axes.text(row.figure.high + 0.01, height + 0.18, saving, va="center", weight="bold")
        axes.set_yticks(range(len(shown)), [row.asked.plain.replace(": ", ":\n", 1) for row in shown])
        axes.invert_yaxis()
        axes.set(xlim=(0, 0.18 + max([1.0, *(row.figure.high for row in shown if row.figure)])), xticks=[])
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(length=0)
        chart.figure.legend(loc="outside lower right", ncols=2, title=f"the line: {SURE} interval")
        chart.figure.suptitle(headline, x=0.02, ha="left", weight="bold", wrap=True)
    return chart
