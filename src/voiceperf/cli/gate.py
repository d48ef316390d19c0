"""`voiceperf gate`: this checkout beside the revision that it came from, on this machine, in these minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, finite
from voiceperf.cli.compare import Markdown, compare_sides
from voiceperf.cli.material import CallFile, Conversations, Manifest, Material, Texts
from voiceperf.errors import InputError
from voiceperf.files import require_writable, shown
from voiceperf.log import say
from voiceperf.measure.contender import Side
from voiceperf.suite.duel import Rules
from voiceperf.suite.revision import base_of_checkout, revision
from voiceperf.suite.sides import COMPARED

BUDGET_S = 80.0  # a row, so that the whole gate ends within six minutes; unchanged code is clear sooner


@app.command(rich_help_panel=Group.GUARD)
def gate(
    against: Annotated[
        str | None,
        typer.Argument(help="A revision (default: where this branch left main; on main, the last commit before this)."),
    ] = None,
    profile: Annotated[
        str,
        complete.profile_option("A shipped profile, or a TOML file: the baseline has it as it was in the revision."),
    ] = profiles.DEFAULT,
    baseline_python: Annotated[
        str | None, typer.Option(help="The revision's interpreter (default: made where its lock files are others).")
    ] = None,
    set_up: Annotated[
        str, typer.Option(help="A command that makes .venv in the revision's checkout (default: bash ci/setup.sh).")
    ] = "",
    only: Annotated[
        list[str] | None, typer.Option(help=f"Of {', '.join(COMPARED)} (default: all); may be repeated.")
    ] = None,
    budget_s: Annotated[
        float, typer.Option(min=1, callback=finite, help="Seconds for each row; what one leaves, others may use.")
    ] = BUDGET_S,
    call: CallFile = None,
    manifest: Manifest = None,
    conversations: Conversations = None,
    texts: Texts = None,
    markdown: Markdown = None,
    as_json: Json = False,
) -> None:
    """Tell whether this checkout is slower or worse than the revision that it came from.

    Nothing needs to be saved before. Both sides run on this machine in the same minutes: hearing, thinking, speaking
    and whole turns, with the quality, memory and start-up beside them. What is not voiceperf itself counts too: a
    profile in the repository, and lock files, whose environment of then is made once and kept in the cache folder.

    Exit 0: no slower, no worse; 10: slower or worse; 11: cannot tell; 12: something was not measured.
    """
    if markdown:
        require_writable(markdown, "--markdown")
    then = revision(against, Path.cwd()) if against else base_of_checkout(Path.cwd())
    if not baseline_python and not then.watches(profile):
        raise InputError(
            f"{shown(then.top)} holds neither voiceperf nor lock files: with {profile} both sides would be the same;"
            " name your own profile with --profile FILE"
        )
    say(f"{then.words}: getting it ready")
    baseline = then.side("baseline", profile, baseline_python, set_up)
    candidate = Side("candidate", profiles.load(profile))
    between = f"this checkout against {then.words}, {profile}"
    rules = Rules(budget_s=budget_s)
    material = Material(manifest, conversations, texts)
    compare_sides(
        baseline, candidate, only or (), between, call, material, rules, markdown, as_json=as_json, costs=True
    )
