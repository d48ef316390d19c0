"""A run beside the accepted one, as a table for a terminal and as Markdown for a pull request."""

from __future__ import annotations

from rich.console import Console

from voiceperf.history.compare import Comparison
from voiceperf.judge.runs import Row
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Verdict
from voiceperf.report.markdown import as_markdown
from voiceperf.report.terminal import as_change, bounded_table, in_colour

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
