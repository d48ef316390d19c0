"""`voiceperf history` and `voiceperf accept`: the saved runs, and which of them later ones are held against."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.cli.bisect import find_revision
from voiceperf.cli.material import Storage
from voiceperf.errors import InputError
from voiceperf.history import ledger
from voiceperf.history.formerly import workload_of
from voiceperf.history.runs import STORAGE, find_run, latest_run, read_all
from voiceperf.history.trend import trends, workload_trends
from voiceperf.log import say
from voiceperf.measure.fingerprint import machine_id
from voiceperf.report.export import EXPORTS
from voiceperf.report.history import history_markdown, print_history, print_runs
from voiceperf.report.tables import page
from voiceperf.suite.sides import COMPARED


@app.command(rich_help_panel=Group.GUARD)
def history(
    benchmark: Annotated[
        str, typer.Argument(help="Part of a benchmark's name, as in thinking (default: each workload, over all turns).")
    ] = "",
    storage: Storage = STORAGE,
    changed: Annotated[bool, typer.Option("--changed", help="Only what has shifted.")] = False,
    bisect: Annotated[
        str | None,
        typer.Option(
            metavar="GOOD..BAD", help=f"Which revision made it slower or worse? Of one of {', '.join(COMPARED)}."
        ),
    ] = None,
    profile: Annotated[
        str,
        complete.profile_option("For --bisect: a shipped profile, or a TOML file, as it was in each revision."),
    ] = profiles.DEFAULT,
    export: Annotated[str | None, typer.Option(help=f"Print as {' or '.join(EXPORTS)}.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")] = False,
    as_json: Json = False,
) -> None:
    """List saved runs with their times over the control's, and where their level has shifted.

    Of a steady history, one listing in a hundred shows a shift that is none. `--bisect` compares revisions side by side
    with the first one, until it has found the one that brought a change; it ends as `voiceperf gate` does.
    """
    if bisect is not None:
        find_revision(benchmark, bisect, profile, as_json=as_json)
    if export is not None and export not in EXPORTS:
        raise InputError(f"--export {export}: there are {', '.join(EXPORTS)}")
    runs, problems = read_all(storage)
    for problem in problems:
        say(problem)
    part = workload_of(benchmark)
    found = trends(runs, part) if part else workload_trends(runs) or trends(runs)
    if not found:
        raise InputError(
            f"{storage}: no saved run" + (f" of a benchmark like {benchmark!r}" if benchmark else "")
            + "; save one with: voiceperf bench"
        )  # fmt: skip
    if changed:
        found = [trend for trend in found if trend.shifts()]
        if not found:
            say("nothing has shifted")
    if export is not None:
        typer.echo(EXPORTS[export](found))
    elif as_json:
        for trend in found:
            print_json(trend.as_record())
    elif markdown:
        typer.echo(history_markdown(found))
    elif len(found) == 1:
        print_runs(found[0], page())
    elif found:
        print_history(found, page())


@app.command(rich_help_panel=Group.GUARD)
def accept(
    run: Annotated[
        str | None,
        typer.Argument(
            help="A saved run: its path, or how the name of one of this machine begins (default: its latest).",
            autocompletion=complete.run_names,
        ),
    ] = None,
    storage: Storage = STORAGE,
    as_json: Json = False,
) -> None:
    """Hold later runs on its machine against this one. Only this changes what the gate compares with."""
    here = machine_id()
    path = latest_run(storage, here) if run is None else find_run(storage, run, here)
    accepted = ledger.accept(storage, path, datetime.now(UTC).isoformat(timespec="seconds"))
    if as_json:
        print_json({"run": accepted.source, "machine_id": accepted.machine_id, "commit": accepted.commit})
    else:
        say(f"{accepted.source} is accepted on machine {accepted.machine_id}; commit {storage / ledger.ACCEPTED}")
