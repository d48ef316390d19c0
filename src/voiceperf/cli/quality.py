"""`voiceperf quality`: does a candidate profile hear, think and speak no worse than a baseline, on any material?"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.cli.material import CallFile, Conversations, Manifest, Material, Texts, recorded_call
from voiceperf.engines import role_named
from voiceperf.errors import EngineError, InputError
from voiceperf.judge.text import HearingComparison
from voiceperf.judge.verdict import GATE_EXIT_CODES, Finding, Verdict, applicable, worst
from voiceperf.log import say
from voiceperf.measure.contender import Side, changed
from voiceperf.quality.corpus import Recording
from voiceperf.quality.gate import Quality, QualityGate
from voiceperf.quality.hearing import scores_of
from voiceperf.report.kinds import kinds_table, rates_by_kind_and_line
from voiceperf.report.tables import page
from voiceperf.roles import HEARING, ROLES, SPEAKING, THINKING

_PROGRESS_EVERY = 25


@app.command(rich_help_panel=Group.MEASURE)
def quality(
    roles: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Of {', '.join(ROLES)} (default: those whose material is named; without any, all).",
            autocompletion=complete.role_names,
        ),
    ] = None,
    baseline: Annotated[str, complete.profile_option("The profile to be no worse than.")] = "fair",
    candidate: Annotated[str, complete.profile_option("The profile to judge.")] = profiles.DEFAULT,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change one parameter of the candidate, as in --set audio_ctx=512; repeatable.",
            autocompletion=complete.changes,
        ),
    ] = None,
    call: CallFile = None,
    manifest: Manifest = None,
    conversations: Conversations = None,
    texts: Texts = None,
    as_json: Json = False,
) -> None:
    """Judge how a candidate hears, thinks and speaks beside a baseline; no time is measured.

    Exit 0: no worse; 10: worse; 11: too little data to tell; 12: something could not be judged.
    """
    named = {HEARING: manifest, THINKING: conversations, SPEAKING: texts}
    wanted = [role_named(role) for role in roles or ()] or [role for role in ROLES if named[role]] or list(ROLES)
    profile, _ = changed(profiles.load(candidate), changes or (), wanted)
    before, after = Side(baseline, profiles.load(baseline)), Side(candidate, profile)
    corpus = Material(manifest, conversations, texts).corpus()
    gate = QualityGate(recorded_call(call), corpus, progress=_step)
    findings = []
    for role in wanted:
        if role == HEARING:
            finding, record = _hearing(gate, before, after, corpus.recordings(any_length=True), as_table=not as_json)
        else:
            found = _judged(gate, role, before, after)
            finding, record = found.finding, {"quality": found.text}
            if not as_json:
                say(f"{role}: {found.text}")
        findings.append(finding)
        if as_json:
            print_json({"role": role, **record, "verdict": finding.verdict, "reason": finding.reason})
        else:
            say(f"{finding.verdict}: {role}: {finding.reason}")
    sys.exit(GATE_EXIT_CODES[worst(applicable(findings)).verdict])


def _judged(gate: QualityGate, role: str, before: Side, after: Side) -> Quality:
    try:
        return gate.judge(role, before, after)
    except EngineError as error:
        return Quality(Finding(Verdict.INVALID, str(error)), "not judged")


def _hearing(
    gate: QualityGate, before: Side, after: Side, named: Mapping[str, Recording], *, as_table: bool
) -> tuple[Finding, dict[str, Any]]:
    """With the word error rates of each kind of recording."""
    try:
        quality, compared, heard = gate.hears(before, after, named)
    except EngineError as error:
        return Finding(Verdict.INVALID, str(error)), {}
    if compared is None:
        raise InputError("the transcripts of the manifest hold no words")
    recordings, language = list(named.values()), before.contender(HEARING).params.expects()
    scored = [scores_of(recordings, texts, language) for texts in heard]
    kinds = rates_by_kind_and_line([r.kind for r in recordings], [r.line for r in recordings], *scored)
    if as_table:
        page().print(kinds_table(kinds, [before.name, after.name]))
        say(f"{HEARING}: {quality.text}")
    return quality.finding, {**_record(compared), "quality": quality.text, "kinds": kinds}


def _step(title: str, done: int, total: int) -> None:
    if done % _PROGRESS_EVERY == 0 or done == total:
        say(f"{title}: {done} of {total}")


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
