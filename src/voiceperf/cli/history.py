"""`voiceperf history` and `voiceperf accept`: the saved runs, and which of them later ones are held against."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from voiceperf.cli.app import Json, app, print_json
from voiceperf.cli.material import Storage
from voiceperf.errors import InputError
from voiceperf.history import ledger
from voiceperf.history.formerly import workload_of
from voiceperf.history.runs import STORAGE, find_run_of, latest_run, read_all
from voiceperf.history.trend import trends
from voiceperf.log import say
from voiceperf.measure.fingerprint import machine_id
from voiceperf.report.history import history_markdown, print_history, print_runs
from voiceperf.report.tables import page


@app.command()
def history(
    benchmark: Annotated[str, typer.Argument(help="Part of a benchmark's name, as in thinking.")] = "",
    storage: Storage = STORAGE,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a pull request.")] = False,
    as_json: Json = False,
) -> None:
    """List saved runs with their times over the control's, and the change points. A damaged file is named."""
    runs, problems = read_all(storage)
    for problem in problems:
        say(problem)
    found = trends(runs, workload_of(benchmark))
    if not found:
        raise InputError(
            f"{storage}: no saved run" + (f" of a benchmark like {benchmark!r}" if benchmark else "")
            + "; save one with: pytest tests/perf --benchmark-autosave"
        )  # fmt: skip
    if as_json:
        for trend in found:
            print_json(trend.as_record())
    elif markdown:
        typer.echo(history_markdown(found))
    elif len(found) == 1:
        print_runs(found[0], page())
    else:
        print_history(found, page())


@app.command()
def accept(
    run: Annotated[
        str | None,
        typer.Argument(
            help="A saved run: its path, or how the name of one of this machine begins (default: its latest)."
        ),
    ] = None,
    storage: Storage = STORAGE,
    as_json: Json = False,
) -> None:
    """Hold later runs on its machine against this one. Only this changes what the gate compares with."""
    here = machine_id()
    path = latest_run(storage, here) if run is None else find_run_of(storage, run, here)
    accepted = ledger.accept(storage, path, datetime.now(UTC).isoformat(timespec="seconds"))
    if as_json:
        print_json({"run": accepted.source, "machine_id": accepted.machine_id, "commit": accepted.commit})
    else:
        say(f"{accepted.source} is accepted on machine {accepted.machine_id}; commit {storage / ledger.ACCEPTED}")
