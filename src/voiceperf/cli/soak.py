"""`voiceperf soak`: services under a long load."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from voiceperf.cli.app import Group, Json, app, finite, print_json
from voiceperf.cli.engines import ProfileName, chosen_profile
from voiceperf.cli.material import CallFile, recorded_call
from voiceperf.cli.replay import MOST_CALLERS, run, turn_progress
from voiceperf.judge.verdict import GATE_EXIT_CODES
from voiceperf.log import say
from voiceperf.report.tables import page


@app.command(rich_help_panel=Group.MEASURE)
def soak(
    minutes: Annotated[float, typer.Option(min=0.1, callback=finite, help="How long.")] = 30.0,
    concurrency: Annotated[int, typer.Option(min=1, max=MOST_CALLERS, help="Calls at once.")] = 4,
    unruly: Annotated[
        bool,
        typer.Option(
            "--unruly",
            help="Callers speak into one reply in five, hang up in one turn in ten, and say nothing in another.",
        ),
    ] = False,
    profile: ProfileName = None,
    call: CallFile = None,
    as_json: Json = False,
) -> None:
    """Keep services busy: no turn may fail or change, and memory, threads and delay must stay bounded.

    Exit 0: all held; 10: something did not; 12: nothing was measured.
    """
    from voiceperf.live import soak as soaking
    from voiceperf.live.processes import ServicesOfProfile

    chosen = chosen_profile(profile)
    recording = recorded_call(call)
    with ServicesOfProfile(chosen) as running, turn_progress(None) as watch:
        seconds = minutes * 60
        found = run(
            soaking.soak(
                recording,
                running.services,
                running.pids,
                seconds=seconds,
                concurrency=concurrency,
                unruly=unruly,
                watch=watch,
            )
        )
    finding = found.finding()
    figures = {
        "turns": len(found.loaded),
        "spoken_into": found.spoken_into(),
        "hung_up": found.hung_up,
        "silent": found.silent(),
        "errors": len(found.errors()),
        "changed": len(found.changed()),
        "p95_factor": found.p95_factor(),
        "rss_growth": found.growth(),
        "rss_bytes": found.end.rss_bytes if found.end else None,
        "threads": [f.threads for f in (found.warm, found.end) if f],
        "descriptors": [f.descriptors for f in (found.warm, found.end) if f],
    }
    if as_json:
        print_json({**figures, "verdict": finding.verdict, "reason": finding.reason})
    else:
        from voiceperf.report.turns import stage_table

        page().print(stage_table(f"{chosen.name}, {concurrency} calls at once, {minutes:g} min", found.loaded))
        for name, value in figures.items():
            page().print(f"{name}: {value}", highlight=False)
        say(f"{finding.verdict}: {finding.reason}")
    sys.exit(GATE_EXIT_CODES[finding.verdict])
