"""What the shell completes beside commands and options: names that voiceperf knows, found anew at each Tab."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from voiceperf import profiles
from voiceperf.engines import params_class
from voiceperf.history.runs import STORAGE, run_files
from voiceperf.models.catalogue import CATALOGUE
from voiceperf.profiles import PLAYERS
from voiceperf.roles import ROLES
from voiceperf.suite.workloads import CALL


def profile_names(incomplete: str) -> list[str]:
    """The shipped ones, and TOML files of this folder."""
    return _begun(incomplete, [*profiles.shipped(), *(path.name for path in Path().glob("*.toml"))])


def profile_option(help: str) -> Any:
    """An option that takes a profile."""
    return typer.Option(help=help, autocompletion=profile_names)


def model_names(incomplete: str) -> list[str]:
    """Of the catalogue."""
    return _begun(incomplete, CATALOGUE)


def role_names(incomplete: str) -> list[str]:
    """All three."""
    return _begun(incomplete, ROLES)


def compared_names(incomplete: str) -> list[str]:
    """What can be compared: roles, whole calls, saved runs."""
    return _begun(incomplete, [*ROLES, CALL, *run_names("")])


def run_names(incomplete: str) -> list[str]:
    """Of the usual storage, by number."""
    return _begun(incomplete, {path.name.split("_")[0] for path in run_files(STORAGE)})


def changes(incomplete: str) -> list[str]:
    """`name=` of every parameter of the usual engines."""
    return _begun(incomplete, {f"{name}=" for engine in PLAYERS.values() for name in params_class(engine).tunables()})


def _begun(incomplete: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(incomplete))
