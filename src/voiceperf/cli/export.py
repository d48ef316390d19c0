"""`voiceperf export`: a profile's settings in the words of another program."""

from __future__ import annotations

import shlex
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, app
from voiceperf.engines.exported import Exported
from voiceperf.errors import InputError
from voiceperf.log import say
from voiceperf.measure.contender import Contender, Side
from voiceperf.measure.process import LISTS
from voiceperf.roles import ROLES

ENVIRONMENT = "env"


@app.command(rich_help_panel=Group.TUNE)
def export(
    profile: Annotated[
        str,
        typer.Argument(
            help="A shipped profile or the path of a TOML file.",
            autocompletion=complete.profile_names,
        ),
    ] = profiles.DEFAULT,
    to: Annotated[
        str, typer.Option(help="The program, or env; one that there is not lists those that there are.")
    ] = "",
) -> None:
    """Print what gives another program the settings of a profile: code, a command line, or with env its environment.

    What only voiceperf can do is said on standard error. Kernels of voiceperf's own work in other programs too, where
    those are started in the environment that `--to env` prints.
    """
    side = Side(profile, profiles.load(profile))
    contenders = [side.contender(role) for role in ROLES]
    if to == ENVIRONMENT:
        typer.echo("\n".join(line for one in contenders for line in _environment(one)))
        return
    exports = {name: (one, export) for one in contenders for name, export in one.params.exports().items()}
    if to not in exports:
        raise InputError(f"--to {to or 'what'}: for these engines there are {', '.join([*exports, ENVIRONMENT])}")
    contender, made = exports[to]
    exported: Exported = made()
    typer.echo(exported.text, nl=False)
    for name, value in exported.only_here.items():
        say(f"only in voiceperf: {contender.engine}.{name} = {value!r}")
    if names := sorted(contender.params.environment()):
        say(f"start it in the environment of: voiceperf export {shlex.quote(profile)} --to env  ({', '.join(names)})")


def _environment(contender: Contender) -> list[str]:
    found = {**contender.params.environment(), **contender.env}
    own = {name: f'"${{{name}:+${name}:}}"' if name in LISTS else "" for name in found}  # what the user has there stays
    lines = [f"export {name}={own[name]}{shlex.quote(value)}" for name, value in found.items()]
    return [f"# {contender.role}: {contender.engine}", *lines]
