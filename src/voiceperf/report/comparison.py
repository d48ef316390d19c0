"""Two runs, or two sides of a duel, beside each other: a table for a terminal, and Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from voiceperf.history.compare import Comparison
from voiceperf.judge.runs import Row
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Verdict
from voiceperf.report.tables import as_change, as_markdown, bounded_table, in_colour
from voiceperf.suite.upgrade import Judged

_COLUMNS = {"benchmark": 44, "change": 22, "threshold": 12}  # with their share of the width


def print_comparison(comparison: Comparison, console: Console) -> None:
    """One row a series and quality figure; then in words why each that does not pass does not."""
    table = bounded_table(f"{comparison.now.source} against {comparison.accepted.source}", _COLUMNS, console)
    for row in comparison.rows:
        table.add_row(row.name, _change(row.change, "\n"), _threshold(row), in_colour(row.finding.verdict))
    console.print(table)
    for line in _words(comparison):
        console.print(line, highlight=False)


def comparison_markdown(comparison: Comparison) -> str:
    """The same for a pull request."""
    rows = [(row.name, _change(row.change, " "), _threshold(row), str(row.finding.verdict)) for row in comparison.rows]
    lines = [f"- {line}" for line in _words(comparison)]
    head = f"### voiceperf: {comparison.finding.verdict}, against `{comparison.accepted.source}`"
    return "\n".join([head, "", as_markdown([*_COLUMNS, "verdict"], rows), "", *lines, ""])


def _words(comparison: Comparison) -> list[str]:
    lines = [f"changed since: {what}" for what in comparison.changed]
    failing = [row for row in comparison.rows if row.finding.verdict is not Verdict.PASS]
    return lines + [f"{row.finding.verdict}: {row.name}: {row.finding.reason}" for row in failing]


def _change(interval: Interval | None, separator: str) -> str:
    return "-" if interval is None else as_change(interval).replace("\n", separator)


def _threshold(row: Row) -> str:
    return "-" if row.max_slowdown is None else f"{row.max_slowdown:+.0%}"


_DUEL_COLUMNS = {"role": 15, "time": 18, "CPU s": 16, "peak RSS MB": 14, "quality": 30}  # with their share of the width


def print_duels(judged: Sequence[Judged], console: Console) -> None:
    """One row a role; baseline -> candidate."""
    table = bounded_table("candidate beside baseline", _DUEL_COLUMNS, console)
    for row in judged:
        *cells, verdict = _cells(row, "\n")
        table.add_row(*cells, in_colour(Verdict(verdict)))
    console.print(table)
    for line in _duels_in_words(judged):
        console.print(line, highlight=False)


def duels_markdown(judged: Sequence[Judged], verdict: Verdict, between: str) -> str:
    """The same for a pull request."""
    lines = [f"- {line}" for line in _duels_in_words(judged)]
    table = as_markdown([*_DUEL_COLUMNS, "verdict"], [_cells(row, " ") for row in judged])
    return "\n".join([f"### voiceperf: {verdict}, {between}", "", table, "", *lines, ""])


def _cells(row: Judged, separator: str) -> list[str]:
    duel = row.duel
    time = f"{duel.change}{separator}{as_change(duel.first.interval)}" if duel.first.interval else "not measured"
    cpu, memory = "-", "-"
    if duel.usage:
        before, after = duel.usage
        cpu = f"{before.cpu_s:.1f} -> {after.cpu_s:.1f}"
        memory = f"{before.peak_rss_bytes / 1e6:.0f} -> {after.peak_rss_bytes / 1e6:.0f}"
    verdict = str(row.finding.verdict)
    return [duel.role, time.replace("\n", separator), cpu, memory, row.quality.text, verdict]


def _duels_in_words(judged: Sequence[Judged]) -> list[str]:
    return [f"{row.finding.verdict}: {row.duel.role}: {row.finding.reason}" for row in judged]
