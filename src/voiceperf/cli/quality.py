"""`voiceperf quality`: does a candidate profile hear no worse than a baseline, on any manifest?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.cli.app import Json, app, print_json
from voiceperf.cli.engines import Changes, contender
from voiceperf.errors import InputError
from voiceperf.judge.text import HearingComparison, rates_by_kind, score
from voiceperf.judge.verdict import GATE_EXIT_CODES
from voiceperf.log import say
from voiceperf.measure.contender import Contender
from voiceperf.measure.process import WorkerProcess
from voiceperf.quality.corpus import Recording, read_manifest
from voiceperf.quality.hearing import compare_transcripts, transcripts
from voiceperf.report.kinds import kinds_table
from voiceperf.report.tables import page
from voiceperf.roles import HEARING

_PROGRESS_EVERY = 25


@app.command()
def quality(
    manifest: Annotated[Path, typer.Option(help="Recordings with transcripts: one JSON object a line.")],
    baseline: Annotated[str, typer.Option(help="The profile to be no worse than.")] = "fair",
    candidate: Annotated[str, typer.Option(help="The profile to judge.")] = profiles.DEFAULT,
    changes: Changes = None,
    as_json: Json = False,
) -> None:
    """Judge how a candidate hears beside a baseline. Exit 0: no worse; 10: worse; 11: too little data to tell."""
    recordings = read_manifest(manifest)
    before = _listen(contender(HEARING, baseline, None), recordings)
    after = _listen(contender(HEARING, candidate, changes), recordings)
    compared = compare_transcripts(recordings, before, after)
    if compared is None:
        raise InputError(f"{manifest}: its transcripts hold no words")
    finding = compared.finding()
    scored = [[score(r.text, text) for r, text in zip(recordings, heard, strict=True)] for heard in (before, after)]
    kinds = rates_by_kind([recording.kind for recording in recordings], *scored)
    if as_json:
        print_json({**_record(compared), "kinds": kinds, "verdict": finding.verdict, "reason": finding.reason})
    else:
        whole: dict[str, list[float | None]] = {"all": [compared.baseline_wer, compared.candidate_wer]}
        page().print(kinds_table(kinds | whole, [baseline, candidate]))
        say(f"{finding.verdict}: {finding.reason}")
    sys.exit(GATE_EXIT_CODES[finding.verdict])


def _listen(contender: Contender, recordings: list[Recording]) -> list[str]:
    def step(title: str, done: int, total: int) -> None:
        if done % _PROGRESS_EVERY == 0 or done == total:
            say(f"{title}: {done} of {total}")

    with WorkerProcess(contender) as worker:
        return transcripts(worker, recordings, step)


def _record(compared: HearingComparison) -> dict[str, float | int]:
    return {
        "baseline_wer": compared.baseline_wer,
        "candidate_wer": compared.candidate_wer,
        "difference": compared.difference.estimate,
        "difference_upper": compared.difference.high,
        "utterances": compared.difference.samples,
        "new_empty": compared.new_empty,
        "new_loops": compared.new_loops,
    }
