"""`voiceperf history --bisect`: the revision that brought a change."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

import typer

from voiceperf.cli.app import print_json
from voiceperf.cli.compare import say_look
from voiceperf.cli.gate import BUDGET_S
from voiceperf.cli.material import Material, recorded_call
from voiceperf.errors import InputError
from voiceperf.history.formerly import workload_of
from voiceperf.judge.verdict import GATE_EXIT_CODES, Finding, worst
from voiceperf.log import say
from voiceperf.suite.bisect import Bisected, bisect
from voiceperf.suite.duel import Rules
from voiceperf.suite.plan import DEFAULT_FORM, FORMS
from voiceperf.suite.revision import Revision, revision
from voiceperf.suite.sides import COMPARED, judge_sides


def find_revision(name: str, between: str, profile: str, *, as_json: bool) -> NoReturn:
    """Compare revisions, say which one brought a change, and end with the gate's exit code.

    Raises:
        InputError: it is not said what is to be compared, or not between which revisions.
    """
    what = workload_of(name)
    if what not in COMPARED:
        raise InputError(f"--bisect takes one of {', '.join(COMPARED)}, as in: voiceperf history hearing --bisect A..B")
    ends = between.split("..")
    if len(ends) != 2 or not all(ends):
        raise InputError(f"--bisect {between}: two revisions are needed, as in GOOD..BAD")
    good, bad = (revision(end, Path.cwd()) for end in ends)
    found = bisect(good.until(bad), partial(_compared, good, what, profile))
    words = _in_words(found)
    if as_json:
        print_json({
            "good": found.good.commit, "bad": found.bad and found.bad.commit,
            "between": [one.commit for one in found.between],
            "verdict": found.finding.verdict, "reason": found.finding.reason,
        })  # fmt: skip
    else:
        typer.echo(words)
    sys.exit(GATE_EXIT_CODES[found.finding.verdict])


def _compared(good: Revision, what: str, profile: str, then: Revision) -> Finding:
    say(f"{then.words}: {then.subject()}")
    rows = judge_sides(
        good.side("baseline", profile),
        then.side("candidate", profile),
        [what],
        call=recorded_call(None),
        corpus=Material().corpus(FORMS[DEFAULT_FORM].portion),
        rules=Rules(budget_s=BUDGET_S),
        watch=say_look,
    )
    finding = worst(row.finding for row in rows)
    say(f"{then.words}: {finding.verdict}, {finding.reason}")
    return finding


def _in_words(found: Bisected) -> str:
    if found.bad is None and not found.between:
        return "the last revision is no slower and no worse than the first"
    if found.between:
        bad = f"; {found.bad.words} is slower or worse" if found.bad else ""
        return f"cannot tell: {found.finding.reason}; {found.good.words} is good{bad}, {len(found.between)} in doubt"
    assert found.bad is not None
    return f"{found.bad.commit} {found.bad.subject()}\n{found.finding.reason}"
