"""Duels, as a table for a terminal and as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from voiceperf.judge.verdict import Verdict
from voiceperf.report.markdown import as_markdown
from voiceperf.report.terminal import as_change, bounded_table, in_colour
from voiceperf.suite.upgrade import Judged

_COLUMNS = {"role": 15, "time": 18, "CPU s": 16, "peak RSS MB": 14, "quality": 30}  # with their share of the width


def print_duels(judged: Sequence[Judged], console: Console) -> None:
    """One row a role; baseline -> candidate."""
    table = bounded_table("candidate beside baseline", _COLUMNS, console)
    for row in judged:
        *cells, verdict = _cells(row, "\n")
        table.add_row(*cells, in_colour(Verdict(verdict)))
    console.print(table)
    for line in _words(judged):
        console.print(line, highlight=False)


def duels_markdown(judged: Sequence[Judged], verdict: Verdict, between: str) -> str:
    """The same for a pull request."""
    lines = [f"- {line}" for line in _words(judged)]
    table = as_markdown([*_COLUMNS, "verdict"], [_cells(row, " ") for row in judged])
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


def _words(judged: Sequence[Judged]) -> list[str]:
    return [f"{row.finding.verdict}: {row.duel.role}: {row.finding.reason}" for row in judged]
