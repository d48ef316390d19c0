"""`voiceperf bench`: the suite on a call, by pytest, from anywhere."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, app
from voiceperf.cli.material import CallFile
from voiceperf.errors import InputError
from voiceperf.suite.plan import FORMS

FULL = "full"


@app.command(rich_help_panel=Group.MEASURE)
def bench(
    tests: Annotated[
        list[Path] | None, typer.Argument(help="Your own tests of the suite (default: those that come along).")
    ] = None,
    candidate: Annotated[str, complete.profile_option("The profile to judge.")] = profiles.DEFAULT,
    baseline: Annotated[
        list[str] | None,
        complete.profile_option("A profile to be faster than, and no worse (default: the form's)."),
    ] = None,
    form: Annotated[
        str, typer.Option(help=f"Of {', '.join(FORMS)}: all turns and baselines, or a few minutes.")
    ] = FULL,
    call: CallFile = None,
) -> None:
    """Replay a call on the real engines, judge every criterion, and save the run under .benchmarks.

    It is pytest that runs: exit 0 if every criterion passes, 1 if one does not, and pytest's own codes else.
    """
    if form not in FORMS:
        raise InputError(f"--form {form!r}: choose of {', '.join(FORMS)}")
    played = call or (None if tests else Path("call61"))  # a project's own tests may say in its settings which
    command = [sys.executable, "-m", "pytest", *_which(tests or []), *_options(candidate, baseline or [], form, played)]
    os.execv(sys.executable, command)  # this process becomes pytest's, which then imports what it watches itself


def _which(tests: list[Path]) -> list[str]:
    """The tests; those that come along run as if no project were around, whose settings and plugins are for its own."""
    if tests:
        return [str(path) for path in tests]
    suite = resources.files("voiceperf.pytest_plugin").joinpath("whole_suite.py")
    alone = ["-c", os.devnull, "--rootdir", str(Path.cwd()), "-p", "no:cacheprovider", "--import-mode=importlib"]
    return [str(suite), *alone]


def _options(candidate: str, baselines: list[str], form: str, call: Path | None) -> list[str]:
    return [
        f"--voiceperf-candidate={candidate}",
        f"--voiceperf-form={form}",
        *(f"--voiceperf-baseline={name}" for name in baselines),
        *([f"--voiceperf-call={call}"] if call else []),
        "--benchmark-autosave",
        "--benchmark-columns=median,stddev,rounds",
    ]
