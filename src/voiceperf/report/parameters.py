"""The parameters of an engine as they are declared, for a terminal and for the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from voiceperf.params import EngineParams, Tunable, declared_defaults
from voiceperf.report.tables import as_markdown

_COLUMNS = ("parameter", "default", "may be", "changes results", "the tuner tries", "what it is")


def parameter_table(known: type[EngineParams]) -> Table:
    """One row a parameter."""
    table = Table(*_COLUMNS, title=known.engine, title_justify="left")
    for row in _rows(known):
        table.add_row(*row)
    return table


def parameters_markdown(engines: Iterable[type[EngineParams]]) -> str:
    """A page with a table for each engine."""
    parts = [
        "# Parameters",
        "",
        "Written by `voiceperf parameters --markdown` from the declarations. In a profile each stands in its engine's",
        "table; on the command line it is `--set name=value`. What *changes results* is judged by the quality gate.",
        "",
    ]
    for known in engines:
        parts += [f"## {known.engine}", "", as_markdown(_COLUMNS, _rows(known)), ""]
    return "\n".join(parts)


def _rows(known: type[EngineParams]) -> list[tuple[str, ...]]:
    defaults = declared_defaults(known)
    return [
        (name, _word(defaults[name]), _range(one), "no" if one.neutral else "yes", _words(one.tries), one.help)
        for name, one in known.tunables().items()
    ]


def _range(one: Tunable) -> str:
    if one.choices is not None:
        return ", ".join(map(_word, one.choices))
    bounds = [f"{bound:g}" if bound is not None else "" for bound in (one.low, one.high)]
    if not any(bounds):
        return ""
    return (
        f"{bounds[0]} to {bounds[1]} {one.unit}".rstrip() if all(bounds) else f"{bounds[0]} or more {one.unit}".rstrip()
    )


def _words(values: Iterable[object]) -> str:
    return ", ".join(map(_word, values))


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "none"
    return str(value)
