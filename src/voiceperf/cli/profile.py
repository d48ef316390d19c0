"""`voiceperf profile`: what a profile comes to on this machine, and what two profiles differ in."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.table import Table

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.engines import params_class
from voiceperf.log import say
from voiceperf.profiles import Profile
from voiceperf.report.tables import page
from voiceperf.roles import ROLES

_DEFAULT = "default"  # where no table of the profile has the value

commands = typer.Typer(help="What a profile comes to here, and what two differ in.", no_args_is_help=True)
app.add_typer(commands, name="profile", rich_help_panel=Group.TUNE)

Name = Annotated[
    str,
    typer.Argument(
        help="A shipped profile or the path of a TOML file.",
        autocompletion=complete.profile_names,
    ),
]


@commands.command()
def show(name: Name = profiles.DEFAULT, as_json: Json = False) -> None:
    """Print every value that a profile comes to on this machine, with the table of the file that it is from."""
    profile = profiles.load(name)
    for role in ROLES:
        engine, values, setting = profile.engine_of(role), _values(profile, role), profile[role]
        rows = [(key, value, setting.sections.get(key, _DEFAULT)) for key, value in values.items()]
        rows += [(f"env.{key}", value, f"{engine}.env") for key, value in setting.env.items()]
        if as_json:
            print_json({
                "role": role, "engine": engine,
                "values": {key: {"value": value, "from": section} for key, value, section in rows},
            })  # fmt: skip
            continue
        table = Table("parameter", "value", "from", title=f"{role}: {engine}", title_justify="left")
        for key, value, section in rows:
            table.add_row(key, _text(value), section, style="dim" if section == _DEFAULT else None)
        page().print(table)


@commands.command()
def diff(one: Name, other: Name, as_json: Json = False) -> None:
    """Print the values in which two profiles differ on this machine."""
    before, after = profiles.load(one), profiles.load(other)
    rows = [row for role in ROLES for row in _differences(before, after, role)]
    if as_json:
        for role, key, old, new in rows:
            print_json({"role": role, "parameter": key, "before": old, "after": new})
        return
    if not rows:
        say("they come to the same on this machine")
        return
    table = Table("role", "parameter", one, other)
    for role, key, old, new in rows:
        table.add_row(role, key, _text(old), _text(new))
    page().print(table)


def _differences(one: Profile, other: Profile, role: str) -> list[tuple[str, str, Any, Any]]:
    """Of one role: parameter, and both values; None where an engine has no such parameter."""
    if one.engine_of(role) != other.engine_of(role):
        return [(role, "engine", one.engine_of(role), other.engine_of(role))]
    before, after = _all_values(one, role), _all_values(other, role)
    pairs = {key: (before.get(key), after.get(key)) for key in {**before, **after}}
    return [(role, key, *pair) for key, pair in pairs.items() if pair[0] != pair[1]]


def _all_values(profile: Profile, role: str) -> dict[str, Any]:
    """Parameters and environment variables."""
    return {**_values(profile, role), **{f"env.{name}": value for name, value in profile[role].env.items()}}


def _values(profile: Profile, role: str) -> dict[str, Any]:
    return params_class(profile.engine_of(role)).parse(profile[role].values).as_dict()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "-" if value is None else str(value) or "''"
