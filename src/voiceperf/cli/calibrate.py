"""`voiceperf calibrate`: how much identical code differs on this machine, benchmark by benchmark."""

from __future__ import annotations

import math
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from voiceperf import places, profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.cli.material import CallFile, Storage, recorded_call
from voiceperf.errors import InputError
from voiceperf.history.ledger import Calibration, calibration_of, write_noise
from voiceperf.history.runs import STORAGE
from voiceperf.judge.noise import Noise
from voiceperf.log import say
from voiceperf.measure.fingerprint import fingerprint
from voiceperf.report.tables import aside, page
from voiceperf.suite.calibration import Benchmark, benchmarks
from voiceperf.suite.calibration import calibrate as measure
from voiceperf.suite.plan import DEFAULT_FORM, FORMS, Plan
from voiceperf.suite.workloads import WORKLOADS


@app.command(rich_help_panel=Group.GUARD)
def calibrate(
    workloads: Annotated[
        list[str] | None, typer.Argument(help=f"Of {', '.join(WORKLOADS)}; all where none is named.")
    ] = None,
    launches: Annotated[int, typer.Option(min=2, help="How often every process is started anew.")] = 3,
    form: Annotated[str, typer.Option(help=f"As in --voiceperf-form: {' or '.join(FORMS)}.")] = DEFAULT_FORM,
    candidate: Annotated[str, complete.profile_option("The profile that the gate will judge.")] = profiles.DEFAULT,
    call: CallFile = None,
    storage: Storage = STORAGE,
    as_json: Json = False,
) -> None:
    """Run the suite's benchmarks with nothing changed, and keep how far apart they come out.

    Saved runs of one machine show the same as they accumulate; this only hastens it, so that the gate sees smaller
    slowdowns from its first day on. It takes three minutes a launch in the short form, eight in the full one; leave the
    machine alone meanwhile, or as busy as it will be when the gate runs.
    """
    if form not in FORMS:
        raise InputError(f"--form {form}: there are {', '.join(FORMS)}")
    if unknown := set(workloads or ()) - set(WORKLOADS):
        raise InputError(f"no workload {' '.join(sorted(unknown))}: there are {', '.join(WORKLOADS)}")
    plan = Plan(
        call=recorded_call(call),
        baselines=tuple(profiles.load(name) for name in FORMS[form].baselines),
        candidate=profiles.load(candidate),
        form=FORMS[form],
        manifest=places.MANIFEST,
        conversations=places.CONVERSATIONS,
    )
    facts = fingerprint(plan.contenders())
    known = calibration_of(storage, facts["machine_id"])  # a damaged file is said now, not after a quarter of an hour
    if workloads and known.series and (known.form, known.call) != (form, plan.call.digest()):
        kept = f"the noise kept here is of the {known.form} form and the call {known.call[:8]}"
        raise InputError(f"{kept}, and would be lost; name that form and call, or no workload")
    noise = _with_progress(plan, benchmarks(plan, workloads or WORKLOADS), launches)
    date = datetime.now(UTC).isoformat(timespec="seconds")
    path = write_noise(storage, facts, Calibration(form, plan.call.digest(), noise), date)
    if as_json:
        for name, found in noise.items():
            print_json({"series": name, **asdict(found)})
    else:
        _print(noise)
    say(f"written to {path}")


def _with_progress(plan: Plan, chosen: list[Benchmark], launches: int) -> dict[str, Noise]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=aside()) as progress:
        task = progress.add_task("calibrating", total=launches * len(chosen))
        started = False

        def step(launch: int, name: str) -> None:
            nonlocal started
            progress.update(task, advance=int(started), description=f"launch {launch + 1} of {launches}: {name}")
            started = True

        noise = measure(plan, chosen, launches, step)
        progress.update(task, advance=1, description="calibrated")
    return noise


def _print(noise: dict[str, Noise]) -> None:
    table = Table(title="what identical code differs by", title_justify="left")
    for column in ("series", "a pair", "a process", "a launch"):
        table.add_column(column, justify="left" if column == "series" else "right")
    for name, found in noise.items():
        parts = (found.pair, found.process, found.launch)
        table.add_row(name, *(f"{math.sqrt(part.value):.1%}" for part in parts))
    page().print(table)
