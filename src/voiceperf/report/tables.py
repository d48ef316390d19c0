"""Tables: how wide they are and what colour a verdict has, the criteria, and tables as GitHub reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from voiceperf.judge.criteria import Bar, Criterion
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Verdict

WIDTH = 100
_STYLES = {
    Verdict.PASS: "bold green",
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
    Verdict.INVALID: "bold magenta",
}


def page(stream: TextIO | None = None, *, is_terminal: bool = False) -> Console:
    """A console no wider than a page. Square brackets are text: names of tests and intervals have them.

    Args:
        stream: where to print, if not to standard output.
        is_terminal: what is printed to the stream goes on to a terminal, with its colours and its width.
    """
    out = Console(markup=False)
    fits = out.width if stream is None or is_terminal else WIDTH
    return Console(file=stream, markup=False, width=min(fits, WIDTH), force_terminal=is_terminal or None)


def aside() -> Console:
    """For progress, beside the results, and no wider than they are."""
    out = Console(stderr=True)
    return Console(stderr=True, width=min(out.width, WIDTH))


def print_criteria(criteria: Sequence[Criterion], console: Console) -> None:
    """One row a criterion, then in words why each that does not pass does not."""
    columns = {"criterion": 26, "against": 10, "figure": 18, "bar": 12, "quality": 28}
    table = bounded_table("success criteria", columns, console)
    for row in criteria:
        verdict = in_colour(row.verdict)
        table.add_row(row.bar.title, row.baseline or "-", _figure(row), _bar(row), row.quality_text, verdict)
    print_bounded(table, console)
    for row in criteria:
        if row.verdict is not Verdict.PASS:
            console.print(f"{row.verdict}: {row.name}: {row.decisive.reason}", highlight=False)
        if row.missed_aim:
            console.print(f"aim missed: {row.name}: {row.missed_aim}", highlight=False)


def bounded_table(title: str, columns: Mapping[str, int], console: Console) -> Table:
    """A table no wider than a page: columns with their share of the width, and last a verdict, which is never cut."""
    table = Table(title=title, title_justify="left", width=min(WIDTH, console.width), show_lines=True)
    for column, share in columns.items():
        table.add_column(column, ratio=share, overflow="fold")
    table.add_column("verdict", min_width=len(Verdict.INCONCLUSIVE), no_wrap=True)
    return table


def print_bounded(table: Table, console: Console) -> None:
    """With every column as wide as its longest word, and more of what is left the more of it its share is.

    Where the page is too narrow for that, words are broken.
    """
    *columns, verdict = table.columns
    room = (table.width or WIDTH) - 3 * len(table.columns) - 1 - (verdict.min_width or 0)
    least = [max(map(len, " ".join(map(str, (one.header, *one.cells))).split())) for one in columns]
    share = room / sum(one.ratio or 0 for one in columns)
    more = [max(0.0, (one.ratio or 0) * share - width) for one, width in zip(columns, least, strict=True)]
    if (spare := room - sum(least)) >= 0:
        for column, width, wish in zip(columns, least, more, strict=True):
            column.width = width + int(spare * wish / (sum(more) or 1))
    console.print(table)


def in_colour(verdict: Verdict, words: str = "") -> Text:
    """A verdict as it stands in a table, where it is called otherwise by that name."""
    return Text(words or str(verdict), style=_STYLES[verdict])


def _figure(row: Criterion) -> str:
    if row.figure is None:
        return row.speed.reason if row.speed.verdict is not Verdict.INVALID else "not measured"
    if row.bar.is_relative:
        return as_change(row.figure)
    return f"{row.figure.estimate:.3f}\n[{row.figure.low:.3f}, {row.figure.high:.3f}]"


def _bar(row: Criterion) -> str:
    most = _limit(row.bar.most, row.bar)
    return most if row.bar.aim is None else f"{most}\naim {_limit(row.bar.aim, row.bar)}"


def _limit(value: float, bar: Bar) -> str:
    return f"{value - 1:+.0%}" if bar.is_relative else f"{value:g} {bar.unit}"


def as_change(ratio: Interval) -> str:
    """A time ratio as what users ask for: by how much less, and how sure."""
    return f"{ratio.estimate - 1:+.1%}\n[{ratio.low - 1:+.1%}, {ratio.high - 1:+.1%}]"


def as_markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a bar in a cell does not end it."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
