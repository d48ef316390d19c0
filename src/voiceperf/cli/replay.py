"""`voiceperf replay`: whole calls through services, in time, interrupted, or by many callers at once."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from voiceperf import profiles
from voiceperf.call import CallRecording
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, finite, is_typed, print_json
from voiceperf.cli.engines import ProfileName, chosen_profile
from voiceperf.cli.material import CallFile, recorded_call
from voiceperf.errors import InputError
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import GATE_EXIT_CODES
from voiceperf.log import say
from voiceperf.profiles import Profile
from voiceperf.report.tables import aside, page
from voiceperf.roles import ROLES

if TYPE_CHECKING:  # the network's libraries are imported by these commands alone, once they run
    from voiceperf.live.record import TurnRecord
    from voiceperf.live.replay import Pace, Watch
    from voiceperf.live.services import Services

MOST_CALLERS = 100
Result = TypeVar("Result")


@app.command(rich_help_panel=Group.MEASURE)
def replay(
    context: typer.Context,
    calls: Annotated[int, typer.Option(min=1, help="How many calls.")] = 10,
    concurrency: Annotated[
        str, typer.Option(help="Calls at once. Several, as 1,2,4,8, tell from how many on more of them only wait.")
    ] = "1",
    uri: Annotated[
        list[str] | None,
        typer.Option(help="A running service, ours or anyone's; three of them. Without any, ours are started."),
    ] = None,
    profile: ProfileName = None,
    baseline: Annotated[str | None, complete.profile_option("A profile to compare with, turn by turn.")] = None,
    candidate: Annotated[str, complete.profile_option("With --baseline: the profile to compare.")] = profiles.DEFAULT,
    step_by_step: Annotated[
        bool, typer.Option("--step-by-step", help="With --baseline: also with one engine changed at a time.")
    ] = False,
    real_time: Annotated[bool, typer.Option("--real-time", help="Speech takes as long to send as to say.")] = False,
    line: Annotated[str, typer.Option(help="How the caller is connected: phone, voip or wifi; in real time.")] = "",
    barge_in: Annotated[
        bool, typer.Option("--barge-in", help="The caller's next words come while the reply sounds; in real time.")
    ] = False,
    end_of_turn: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=10_000,
            callback=finite,
            help="The service that hears finds the end of the caller's words: so many ms of silence, where it is ours.",
        ),
    ] = None,
    service: Annotated[
        list[str] | None,
        typer.Option(help="Change a limit of the services that are started, as in --service guess_ms=200."),
    ] = None,
    own_words: Annotated[
        bool, typer.Option("--own-words", help="The reply is the model's own instead of the recorded one.")
    ] = False,
    call: CallFile = None,
    plot: Annotated[Path | None, typer.Option(help="A picture of the first call, PNG or SVG.")] = None,
    as_json: Json = False,
) -> None:
    """Play a call through services that hear, think and speak, and tell where each turn's time goes."""
    from voiceperf.live.connection import connected
    from voiceperf.live.replay import Pace
    from voiceperf.live.replay import replay as play
    from voiceperf.report.chart import require_picture

    if plot:
        require_picture(plot)
    callers = _callers(concurrency)
    pace = Pace(calls, callers[0], real_time, not own_words, says_the_end=end_of_turn is None)
    recording = recorded_call(call)
    if line:
        recording, pace = connected(recording, line, pace)
    if not is_typed(context, "baseline"):
        baseline = None  # the project's own is for commands that always compare
    if uri and not is_typed(context, "profile"):
        profile = None
    if uri and (profile or baseline or service):
        raise InputError("--uri names services that run already; a profile and --service are for those started here")
    if baseline is None and step_by_step:
        raise InputError("--step-by-step needs a --baseline to start from")
    one_crowd = len(callers) == 1
    changes = [*(service or ()), *([] if end_of_turn is None else [f"end_of_turn_ms={end_of_turn}"])]
    _require_alone(baseline=baseline is not None, plot=plot is not None, barge_in=barge_in, several=not one_crowd)
    if baseline is not None:
        if baseline == candidate:
            raise InputError(f"--baseline and --candidate are both {baseline}; name two profiles")
        before, after = (_serving(profiles.load(name), changes) for name in (baseline, candidate))
        _compare(recording, before, after, step_by_step, pace, as_json)
        return
    chosen = _serving(chosen_profile(profile), changes)
    if barge_in:
        _speak_into(recording, uri, chosen, pace, as_json)
    if not one_crowd:
        _crowd(recording, uri, chosen, [replace(pace, concurrency=count) for count in callers], as_json)
    with _there(uri, chosen) as services, turn_progress(calls * len(recording.turns)) as watch:
        records = run(play(recording, services, pace, watch))
    _show(recording, pace, records, as_json)
    if plot:
        from voiceperf.report.timeline_plot import draw

        draw(records, f"{recording.name}, {'services at ' + ', '.join(uri) if uri else chosen.name}", plot)
        say(f"drawn into {plot}")
    sys.exit(1 if any(record.error for record in records) else 0)


def _compare(
    call: CallRecording, before: Profile, after: Profile, step_by_step: bool, pace: Pace, as_json: bool
) -> None:
    from voiceperf.live.processes import ServicesOfProfile
    from voiceperf.live.replay import replay_paired
    from voiceperf.report.turns import comparison_table, failures, remarks

    roles = ROLES if step_by_step else ()
    named = {f"{before.name}, {role} of {after.name}": before.playing(role, after) for role in roles}
    records: dict[str, list[TurnRecord]] = {}
    ratios: dict[str, Interval | None] = {}
    played: list[TurnRecord] = []
    for name, profile in {**named, after.name: after}.items():
        say(f"{name} beside {before.name}")
        total = 2 * pace.calls * len(call.turns)
        with ServicesOfProfile(before) as old, ServicesOfProfile(profile) as new, turn_progress(total) as watch:
            found = run(replay_paired(call, old.services, new.services, pace, watch))
        records.setdefault(before.name, found.baseline)
        records[name], ratios[name] = found.candidate, found.ratio()
        played += [*found.baseline, *found.candidate]
    if as_json:
        from dataclasses import asdict

        from voiceperf.report.turns import summary

        for name, found_records in records.items():
            ratio = ratios.get(name)
            print_json({"services": name, **summary(found_records), "ratio": asdict(ratio) if ratio else None})
    else:
        page().print(comparison_table(ratios, records))
        for name, found_records in records.items():
            page().print(_stages(name, found_records))
    for line in remarks(played):
        say(line)
    sys.exit(1 if failures(played) else 0)


def _serving(profile: Profile, changes: Sequence[str]) -> Profile:
    """A profile with limits of its services changed, each as name=value."""
    from voiceperf.live.params import ServiceParams

    setting = profile[ServiceParams.engine]
    values = {**setting.values, **ServiceParams.parse_changes(changes)}
    return profile.having(ServiceParams.engine, replace(setting, values=values))


def _require_alone(**wanted: bool) -> None:
    """Refuse two options each of which is a kind of replay by itself."""
    names = {"baseline": "--baseline", "plot": "--plot", "barge_in": "--barge-in", "several": "several --concurrency"}
    chosen = [names[one] for one, is_wanted in wanted.items() if is_wanted]
    if len(chosen) > 1:
        raise InputError(f"{' and '.join(chosen)} do not go together; leave one out")


def _callers(text: str) -> list[int]:
    """The numbers of an option, each more than the one before.

    Raises:
        InputError: it has others.
    """
    parts = text.split(",")
    counts = [int(part) for part in parts if part.strip().isdecimal()]
    if len(counts) < len(parts) or counts != sorted(set(counts)) or not 1 <= counts[0] <= counts[-1] <= MOST_CALLERS:
        raise InputError(f"--concurrency {text}: write numbers from 1 to {MOST_CALLERS} in order, as in 1,2,4,8")
    return counts


def _title(call: CallRecording, pace: Pace) -> str:
    return f"{call.name}, {pace.calls} calls, {pace.concurrency} at once"


def _crowd(
    call: CallRecording, uris: list[str] | None, profile: Profile, paces: Sequence[Pace], as_json: bool
) -> NoReturn:
    from voiceperf.live.replay import crowd, saturation
    from voiceperf.report import turns

    with _there(uris, profile) as services, turn_progress(None) as watch:
        crowds = [run(crowd(call, services, pace, watch)) for pace in paces]
    full = saturation(crowds)
    if as_json:
        for one in crowds:
            print_json({"callers": one.callers, "turns_per_s": one.turns_per_s, **turns.summary(one.records)})
        print_json({"saturation": full})
    else:
        for pace, one in zip(paces, crowds, strict=True):
            page().print(_stages(_title(call, pace), one.records))
        page().print(turns.crowds_table(crowds))
        more = f"more than {full} callers bring no more turns a second, only longer waits"
        page().print(more if full else "more callers than these may be answered more turns a second", highlight=False)
    records = [record for one in crowds for record in one.records]
    for line in turns.remarks(records):
        say(line)
    sys.exit(1 if turns.failures(records) else 0)


def _speak_into(call: CallRecording, uris: list[str] | None, profile: Profile, pace: Pace, as_json: bool) -> NoReturn:
    from voiceperf.live.replay import replay_spoken_into
    from voiceperf.report import turns

    with _there(uris, profile) as services, turn_progress((1 + pace.calls) * len(call.turns)) as watch:
        found = run(replay_spoken_into(call, services, pace, watch))
    finding, (words, lost) = found.finding(), found.words()
    if as_json:
        from dataclasses import asdict

        for record in found.records:
            print_json(turns.as_json(record))
        times = {what: asdict(one) for what, one in turns.spoken_into(found).items()}
        figures = {"spoken_into": len(found.silence_ms()), "times_ms": times, "words": words, "words_lost": lost}
        print_json({**figures, "verdict": finding.verdict, "reason": finding.reason})
    else:
        title = f"{len(found.silence_ms())} replies spoken into, {pace.concurrency} calls at once"
        page().print(turns.spoken_into_table(title, found))
        page().print(f"words of the caller that were lost: {lost} of {words}", highlight=False)
        for line in turns.remarks([*found.plain, *found.records]):
            say(line)
        say(f"{finding.verdict}: {finding.reason}")
    sys.exit(GATE_EXIT_CODES[finding.verdict])


def _show(call: CallRecording, pace: Pace, records: Sequence[TurnRecord], as_json: bool) -> None:
    from voiceperf.report import turns

    if as_json:
        for record in records:
            print_json(turns.as_json(record))
        print_json({**turns.summary(records), "wer": turns.wer(call, records)})
        return
    page().print(_stages(_title(call, pace), records))
    if (rate := turns.wer(call, records)) is not None:
        page().print(f"words heard otherwise than they are written in the call: {rate:.1%}", highlight=False)
    for line in turns.remarks(records):
        say(line)


def _stages(title: str, records: Sequence[TurnRecord]) -> Any:
    from voiceperf.report.turns import stage_table

    return stage_table(title, records)


@contextmanager
def _there(uris: list[str] | None, profile: Profile) -> Iterator[Services]:
    """Services that run already, or ours of a profile."""
    from voiceperf.live.processes import ServicesOfProfile
    from voiceperf.live.services import services_at

    with ExitStack() as stack:
        yield run(services_at(uris)) if uris else stack.enter_context(ServicesOfProfile(profile)).services


@contextmanager
def turn_progress(total: int | None) -> Iterator[Watch]:
    """Shows each turn as it ends."""
    columns = [BarColumn(20), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)]
    with Progress(*columns, console=aside(), transient=True) as progress:
        task = progress.add_task("turns", total=total)

        def watch(record: TurnRecord) -> None:
            overall = f"{record.first_audio_ms:.0f} ms" if record.first_audio_ms else record.error
            progress.update(task, advance=1, description=f"call {record.call}, turn {record.turn}: {overall}")

        yield watch


def run(work: Coroutine[Any, Any, Result]) -> Result:
    """What comes of it."""
    return asyncio.run(work)
