"""The criteria table, as text for a terminal or a log."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from voiceperf.judge.criteria import Criterion
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Verdict

WIDTH = 100
_STYLES = {
    Verdict.PASS: "bold green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.INVALID: "bold magenta",
}


def print_criteria(criteria: Sequence[Criterion], console: Console) -> None:
    """One row a criterion, then in words why each that does not pass does not."""
    table = Table(title="success criteria", title_justify="left", width=min(WIDTH, console.width), show_lines=True)
    table.add_column("criterion", ratio=26)
    table.add_column("against", ratio=10)
    table.add_column("figure", ratio=18)
    table.add_column("bar", ratio=9)
    table.add_column("quality", ratio=31)
    table.add_column("verdict", min_width=len(Verdict.INCONCLUSIVE), no_wrap=True)
    for row in criteria:
        verdict = in_colour(row.verdict)
        table.add_row(row.name, row.baseline, _figure(row), _bar(row), row.quality_text, verdict)
    console.print(table)
    for row in criteria:
        if row.verdict is not Verdict.PASS:
            console.print(f"{row.verdict}: {row.name} against {row.baseline}: {row.decisive.reason}", highlight=False)


def bounded_table(title: str, columns: Sequence[str], console: Console) -> Table:
    """A table no wider than a page, whose last column is a verdict and is never cut."""
    table = Table(title=title, title_justify="left", width=min(WIDTH, console.width), show_lines=True)
    for column in columns[:-1]:
        table.add_column(column, overflow="fold")
    table.add_column(columns[-1], min_width=len(Verdict.INCONCLUSIVE), no_wrap=True)
    return table


def in_colour(verdict: Verdict) -> Text:
    """A verdict as it stands in a table."""
    return Text(str(verdict), style=_STYLES[verdict])


def _figure(row: Criterion) -> str:
    if row.figure is None:
        return row.speed.reason if row.speed.verdict is not Verdict.INVALID else "not measured"
    if row.unit == "ratio":
        return as_change(row.figure)
    return f"{row.figure.estimate:.3f}\n[{row.figure.low:.3f}, {row.figure.high:.3f}]"


def _bar(row: Criterion) -> str:
    return f"{row.bar - 1:+.0%}" if row.unit == "ratio" else f"< {row.bar:g}"


def as_change(ratio: Interval) -> str:
    """A time ratio as what users ask for: by how much less, and how sure."""
    return f"{ratio.estimate - 1:+.1%}\n[{ratio.low - 1:+.1%}, {ratio.high - 1:+.1%}]"
