"""The commands' common ground: the application, its exit codes, how results are printed."""

from __future__ import annotations

import json
import math
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from voiceperf import __version__, project


class Group(StrEnum):
    """What a command is for: the panels of `--help`, in this order."""

    USE = "Use the engines"
    MEASURE = "Measure and compare"
    GUARD = "Guard against slower and worse"
    TUNE = "Tune"
    SET_UP = "Set up"


class _Grouped(TyperGroup):
    def list_commands(self, ctx: Any) -> list[str]:
        panels: dict[str, Any] = {name: getattr(one, "rich_help_panel", None) for name, one in self.commands.items()}
        return sorted(panels, key=lambda name: list(Group).index(Group(panels[name])))


app = typer.Typer(
    name="voiceperf",
    cls=_Grouped,
    help="Measure, tune and guard the speed and the quality of a local voice agent.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # paragraphs are wrapped for the terminal, not as the docstring is
)


def finite(value: float | None) -> float | None:
    """An option's number, which is one: no bound excludes NaN, and not every one infinity."""
    if value is not None and not math.isfinite(value):
        raise typer.BadParameter(f"{value} is no finite number")
    return value


Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line, and nothing else.")]


def print_json(value: dict[str, Any]) -> None:
    """One object on one line."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def _print_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"voiceperf {__version__}\n")
        raise typer.Exit


def is_typed(context: typer.Context, option: str) -> bool:
    """Whether an option stands on the command line; else it has its default, or what the project's table sets."""
    source = context.get_parameter_source(option)
    return source is not None and source.name == "COMMANDLINE"


@app.callback()
def _options(
    context: typer.Context,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """What the project's `[tool.voiceperf]` sets is the default of every command that has such an option."""
    found = project.defaults(Path.cwd())
    group = context.command
    commands = group.commands if isinstance(group, TyperGroup) else {}
    context.default_map = {
        name: {option.name: found[option.name] for option in command.params if option.name in found}
        for name, command in commands.items()
    }
