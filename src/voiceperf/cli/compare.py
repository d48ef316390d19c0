"""`voiceperf compare`: two environments, revisions or profiles in a duel, or two saved runs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from voiceperf import engines, profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, finite, is_typed, print_json
from voiceperf.cli.material import CallFile, Conversations, Manifest, Material, Storage, Texts, recorded_call
from voiceperf.engines import role_named
from voiceperf.errors import InputError
from voiceperf.files import require_writable, write_text
from voiceperf.history.compare import compare_runs
from voiceperf.history.runs import STORAGE, find_run, read_run
from voiceperf.judge.regression import MAX_SLOWDOWN
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import GATE_EXIT_CODES, applicable, worst
from voiceperf.log import say
from voiceperf.measure.contender import Side, changed
from voiceperf.measure.fingerprint import libraries, libraries_of
from voiceperf.report.comparison import comparison_markdown, print_comparison, print_sides, sides_markdown
from voiceperf.report.tables import page
from voiceperf.roles import ROLES
from voiceperf.suite.duel import Rules
from voiceperf.suite.plan import DEFAULT_FORM, FORMS
from voiceperf.suite.revision import revision
from voiceperf.suite.sides import COMPARED, MAX_TURN_SLOWDOWN, Judged, judge_sides
from voiceperf.suite.workloads import CALL

Python = Annotated[str | None, typer.Option(help="The interpreter of a virtual environment with voiceperf in it.")]
Revision = Annotated[str | None, typer.Option(help="A git revision of voiceperf itself, as in HEAD~1.")]
ProfileName = Annotated[str, complete.profile_option("A shipped profile or the path of a TOML file.")]
Markdown = Annotated[Path | None, typer.Option(help="Also write the table as Markdown, for a pull request.")]


@dataclass(frozen=True)
class Chosen:
    """One side, as the command line names it."""

    python: str | None
    revision: str | None
    profile: str
    changes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for option, value in (("python", self.python), ("rev", self.revision)):
            if value == "":
                raise InputError(f"--baseline-{option} or --candidate-{option} is empty; is a variable not set?")

    def in_words(self) -> str:
        where = [self.python or "this environment", self.revision and f"revision {self.revision}"]
        parts = [*where, " with ".join([self.profile, *self.changes])]
        return ", ".join(part for part in parts if part)


_USUAL = f"{MAX_SLOWDOWN}, of a call {MAX_TURN_SLOWDOWN}"


@app.command(rich_help_panel=Group.MEASURE)
def compare(
    context: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Of {', '.join(COMPARED)} (default: all), or two saved runs.",
            autocompletion=complete.compared_names,
        ),
    ] = None,
    baseline_python: Python = None,
    candidate_python: Python = None,
    baseline_rev: Revision = None,
    candidate_rev: Revision = None,
    baseline: ProfileName = profiles.DEFAULT,
    candidate: Annotated[
        str | None,
        complete.profile_option("The same of the other side (default: shipped; with --set, the baseline's profile)."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            help="Change one parameter of the candidate, as in --set n_threads=2; may be repeated.",
            autocompletion=complete.changes,
        ),
    ] = None,
    max_slowdown: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            callback=finite,
            help=f"How much slower is still as good (default: {_USUAL}).",
        ),
    ] = None,
    budget_s: Annotated[
        float | None,
        typer.Option(
            min=1,
            callback=finite,
            help=f"Seconds for each row; what one leaves, others may use (default: {Rules.budget_s:g}).",
        ),
    ] = None,
    call: CallFile = None,
    manifest: Manifest = None,
    conversations: Conversations = None,
    texts: Texts = None,
    storage: Storage = STORAGE,
    markdown: Markdown = None,
    as_json: Json = False,
) -> None:
    """Tell whether the candidate is slower or worse, in one run on this machine.

    - a setting: `voiceperf compare thinking --set n_threads=2`, beside the same without it
    - a setting of your own profile: `voiceperf compare --baseline mine.toml --set hearing.n_threads=2`
    - a library's upgrade: `voiceperf compare --baseline-python .venv-old/bin/python`
    - a change of voiceperf itself: `voiceperf compare --baseline-rev main hearing`
    - two profiles: `voiceperf compare --baseline fair --candidate mine.toml`
    - two saved runs: `voiceperf compare 0001 0002`

    Exit 0: no slower, no worse; 10: slower or worse; 11: cannot tell yet; 12: something was not measured.
    """
    before = Chosen(baseline_python, baseline_rev, baseline)
    if changes and not is_typed(context, "candidate"):
        candidate = baseline
    after = Chosen(candidate_python, candidate_rev, candidate or profiles.DEFAULT, tuple(changes or ()))
    if markdown:
        require_writable(markdown, "--markdown")  # before minutes are spent on measuring
    names = what or []
    if names and not set(names) <= {*COMPARED, *engines.names()}:
        if before != after or len(names) != 2:
            raise InputError(f"compare takes {', '.join(COMPARED)}, or two saved runs; not {' '.join(names)}")
        if (max_slowdown, budget_s) != (None, None):
            raise InputError("--max-slowdown and --budget-s are for duels; saved runs hold their own")
        _compare_saved(names, storage, markdown, as_json)
    if before == after:
        raise InputError("both sides are the same; change one with --set, --baseline, --baseline-python, ...")
    material = Material(manifest, conversations, texts)
    rules = Rules(max_slowdown, budget_s or Rules.budget_s)
    between = f"{after.in_words()} against {before.in_words()}"
    roles = [role for role in map(_role, names) if role != CALL]
    old, new = _side("baseline", before), _side("candidate", after)
    profile, touched = changed(new.profile, after.changes, roles or ROLES)
    new = replace(new, profile=profile)
    compare_sides(old, new, names or touched, between, call, material, rules, markdown, as_json=as_json)


def compare_sides(
    baseline: Side,
    candidate: Side,
    names: Sequence[str],
    between: str,
    call: Path | None,
    material: Material,
    rules: Rules,
    markdown: Path | None,
    *,
    as_json: bool,
    costs: bool = False,
) -> NoReturn:
    """Measure two sides, show what came of it, and end with the gate's exit code."""
    say(between)
    judged: list[Judged] = []
    judged_on = material.corpus(FORMS[DEFAULT_FORM].portion)
    compared = [_role(name) for name in names or COMPARED]
    _say_libraries(baseline, candidate, [name for name in compared if name != CALL] or ROLES)
    try:
        for row in judge_sides(
            baseline,
            candidate,
            compared,
            call=recorded_call(call),
            corpus=judged_on,
            rules=rules,
            costs=costs,
            watch=say_look,
            progress=_say_step,
        ):
            judged.append(row)
            if as_json:
                print_json(row.as_record())
    finally:  # an engine that cannot be measured takes nothing from those that were
        if judged and not as_json:
            print_sides(judged, page())
    verdict = worst(applicable(row.finding for row in judged)).verdict
    _write(markdown, sides_markdown(judged, verdict, between))
    sys.exit(GATE_EXIT_CODES[verdict])


def _role(name: str) -> str:
    return name if name == CALL else role_named(name)


def _compare_saved(names: Sequence[str], storage: Path, markdown: Path | None, as_json: bool) -> None:
    accepted, now = (read_run(find_run(storage, name)) for name in names)
    comparison = compare_runs(accepted, now, storage)
    if as_json:
        print_json(comparison.as_record())
    else:
        print_comparison(comparison, page())
    _write(markdown, comparison_markdown(comparison))
    sys.exit(GATE_EXIT_CODES[comparison.finding.verdict])


def _write(path: Path | None, text: str) -> None:
    if path:
        write_text(path, text)


def _side(name: str, chosen: Chosen) -> Side:
    source = None
    if chosen.revision:
        source = revision(chosen.revision, Path.cwd()).source()
        if source is None:
            raise InputError(f"{chosen.revision!r} has no voiceperf; compare what has, or use: voiceperf gate")
    return Side(name, profiles.load(chosen.profile, source), chosen.python or sys.executable, source)


def _say_libraries(baseline: Side, candidate: Side, roles: Sequence[str]) -> None:
    """Name what differs between the two environments before anything is measured."""
    wanted = libraries(side.contender(role) for side in (baseline, candidate) for role in roles)
    old, new = (libraries_of(side.python, wanted, side.env) for side in (baseline, candidate))
    for library in dict.fromkeys([*old, *new]):
        if old.get(library) != new.get(library):
            say(f"  {library}: {old.get(library) or 'none'} -> {new.get(library) or 'none'}")


def say_look(what: str, rounds: int, interval: Interval | None) -> None:
    """What a duel sees so far."""
    shown = f"{interval.estimate - 1:+.1%} [{interval.low - 1:+.1%}, {interval.high - 1:+.1%}]" if interval else "-"
    say(f"  {what}, {rounds} rounds: {shown}")


def _say_step(title: str, done: int, total: int) -> None:
    if done == total:
        say(f"  quality: {title}, {total} utterances")
