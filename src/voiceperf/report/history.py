"""Histories, as a table for a terminal and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from voiceperf.history.trend import Shift, Trend
from voiceperf.report.tables import WIDTH, as_markdown

_COLUMNS = ("benchmark", "runs", "latest", "/ control", "history", "shifts")
_BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float]) -> str:
    """One bar a value, from the least to the greatest."""
    low, high = min(values), max(values)
    if high == low:
        return _BARS[0] * len(values)
    return "".join(_BARS[round((value - low) / (high - low) * (len(_BARS) - 1))] for value in values)


def print_history(trends: Sequence[Trend], console: Console) -> None:
    """One row a benchmark and machine."""
    table = Table(title="saved runs, oldest first", title_justify="left", width=min(WIDTH, console.width))
    for column in _COLUMNS:
        table.add_column(column, overflow="fold", justify="right" if column in _COLUMNS[1:4] else "left")
    names = _names(trends)
    for name, trend in zip(names, trends, strict=True):
        table.add_row(name, *_cells(trend))
    console.print(table)
    for line in _shifts(names, trends):
        console.print(line, highlight=False)


def history_markdown(trends: Sequence[Trend]) -> str:
    """The same for a pull request."""
    names = _names(trends)
    table = as_markdown(_COLUMNS, [(name, *_cells(trend)) for name, trend in zip(names, trends, strict=True)])
    shifts = [f"- {line}" for line in _shifts(names, trends)]
    return "\n".join(["### voiceperf: history", "", table, "", *shifts, ""])


def _names(trends: Sequence[Trend]) -> list[str]:
    """The benchmarks, and where runs of several machines are told, the machine."""
    short = [trend.benchmark.rpartition("::")[2] for trend in trends]
    if len({trend.machine_id for trend in trends}) == 1:
        return short
    return [f"{name} on {trend.machine_id or 'unknown'}" for name, trend in zip(short, trends, strict=True)]


def _shifts(names: Sequence[str], trends: Sequence[Trend]) -> list[str]:
    return [
        f"{name}: {_in_words(shift)}" for name, trend in zip(names, trends, strict=True) for shift in trend.shifts()
    ]


def print_runs(trend: Trend, console: Console) -> None:
    """One benchmark in full: a row a run, and at each change point what is new there."""
    title = f"{trend.benchmark} on {trend.machine_id or 'an unknown machine'}"
    table = Table(title=title, title_justify="left", width=min(WIDTH, console.width))
    for column in ("run", "date", "commit", "ms", "/ control", "shift"):
        table.add_column(column, overflow="fold", justify="right" if column in ("ms", "/ control") else "left")
    shifts = {shift.run.source: shift for shift in trend.shifts()}
    for point in trend.points:
        shift = shifts.get(point.run.source)
        table.add_row(
            point.run.source.split("_")[0],
            point.run.date[:16],
            point.run.commit[:9] + ("*" if point.run.dirty else ""),
            f"{point.median_s * 1e3:.1f}",
            _normalised(point.normalised),
            _in_words(shift) if shift else "",
        )
    console.print(table)


def _cells(trend: Trend) -> list[str]:
    latest = trend.points[-1]
    shifts = ", ".join(f"{shift.ratio - 1:+.0%} at {shift.run.commit[:9]}" for shift in trend.shifts())
    times = f"{latest.median_s * 1e3:.1f} ms"
    return [
        str(len(trend.points)),
        times,
        _normalised(latest.normalised),
        sparkline(trend.levels),
        shifts,
    ]


def _normalised(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _in_words(shift: Shift) -> str:
    changed = f"; changed: {', '.join(shift.changed)}" if shift.changed else ""
    return f"{shift.ratio - 1:+.1%} since run {shift.run.source.split('_')[0]}, commit {shift.run.commit[:9]}{changed}"
