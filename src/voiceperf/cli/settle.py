"""`voiceperf settle`: does the profile hold on this machine? Where not, step back until it does."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.cli.material import CallFile, Conversations, Manifest, Material, Texts, recorded_call
from voiceperf.judge.verdict import GATE_EXIT_CODES, Verdict
from voiceperf.log import say
from voiceperf.quality.corpus import CHOOSING, Portion
from voiceperf.suite import standing
from voiceperf.suite.settle import Settled, Settlement

_JUDGED_ON = Portion(4, 4)


@app.command(rich_help_panel=Group.TUNE)
def settle(
    profile: Annotated[
        str,
        complete.profile_option("The profile to put on trial: a shipped name or a TOML file."),
    ] = profiles.DEFAULT,
    baseline: Annotated[
        str,
        complete.profile_option("The profile to be no worse than, and the last resort."),
    ] = "fair",
    call: CallFile = None,
    manifest: Manifest = None,
    conversations: Conversations = None,
    texts: Texts = None,
    leave: Annotated[bool, typer.Option("--leave", help="Only return to the shipped profile.")] = False,
    as_json: Json = False,
) -> None:
    """Try a profile's quality and its stability under load here; where it fails, step back to what holds.

    An engine that hears, thinks or speaks worse than the baseline takes what held here before, then a longer context or
    plainer kernels, at last the baseline's own setting; engines that do not bear load take fewer threads. The result is
    this machine's profile: transcribe, reply and speak use it from then on. It takes three minutes.

    Exit 0: something holds, and is in force; 10: load is not borne even with the fewest threads, and nothing changed.
    """
    if leave:
        say("this machine's own profile is gone" if standing.leave() else "this machine has no profile of its own")
        return
    corpus = Material(manifest, conversations, texts).corpus(_JUDGED_ON, CHOOSING)
    settlement = Settlement(recorded_call(call), corpus, profiles.load(baseline))
    found = standing.settle_here(settlement, profiles.load(profile), say)
    if as_json:
        print_json(_record(found) | {"profile": str(standing.path())})
    if found.load.verdict is Verdict.FAIL:
        sys.exit(GATE_EXIT_CODES[Verdict.FAIL])


def _record(found: Settled) -> dict[str, object]:
    return {
        "retreats": [
            {"role": retreat.role, "changes": dict(retreat.changes), "reason": retreat.reason}
            for retreat in found.retreats
        ],
        "load": found.load.verdict,
    }
