"""`voiceperf parameters`: what can be set of each engine, as it is declared."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.engines import names, params_class
from voiceperf.errors import InputError
from voiceperf.live.params import ServiceParams
from voiceperf.params import EngineParams, declared_defaults
from voiceperf.profiles import PLAYERS
from voiceperf.report.parameters import parameter_table, parameters_markdown
from voiceperf.report.tables import page


@app.command(rich_help_panel=Group.TUNE)
def parameters(
    engines: Annotated[list[str] | None, typer.Argument(help="Engines, or service; all where none is named.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the documentation's page.")] = False,
    as_json: Json = False,
) -> None:
    """List every parameter with its default, bounds, what the tuner tries, and what it is."""
    wanted = engines or tables()
    if unknown := set(wanted) - set(tables()):
        raise InputError(f"no table {' '.join(sorted(unknown))}: there are {', '.join(tables())}")
    classes = [_declared(name) for name in wanted]
    if markdown:
        typer.echo(parameters_markdown(classes), nl=False)
        return
    for known in classes:
        if as_json:
            print_json({"engine": known.engine, "parameters": _as_record(known)})
        else:
            page().print(parameter_table(known))


def tables() -> list[str]:
    """The usual engines in the order of their roles, every other that is installed, and the services."""
    return [*PLAYERS.values(), *(name for name in names() if name not in PLAYERS.values()), ServiceParams.engine]


def _declared(name: str) -> type[EngineParams]:
    return ServiceParams if name == ServiceParams.engine else params_class(name)


def _as_record(known: type[EngineParams]) -> dict[str, Any]:
    defaults = declared_defaults(known)
    return {
        name: {"default": defaults[name], "help": one.help, "low": one.low, "high": one.high, "unit": one.unit}
        | {"choices": one.choices, "changes_results": not one.neutral, "tries": one.tries}
        for name, one in known.tunables().items()
    }
