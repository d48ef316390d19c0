"""`voiceperf tune`: the fastest settings of this machine that keep quality, found, confirmed, and put in force."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from voiceperf import profiles
from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.cli.engines import chosen_profile
from voiceperf.cli.material import CallFile, Conversations, Manifest, Material, Storage, Texts, recorded_call
from voiceperf.engines import role_named
from voiceperf.errors import InputError
from voiceperf.files import require_writable, write_text
from voiceperf.history.runs import STORAGE
from voiceperf.judge.verdict import GATE_EXIT_CODES, Verdict
from voiceperf.log import say
from voiceperf.measure.contender import of_profile
from voiceperf.quality.corpus import CHOOSING, Portion
from voiceperf.report.tables import aside, page
from voiceperf.report.tuning import confirmation, single_changes, speed_against_quality, together, tuning_markdown
from voiceperf.roles import ROLES
from voiceperf.suite import standing
from voiceperf.suite.plan import BASELINES
from voiceperf.tune.choice import PREFERENCES
from voiceperf.tune.trial import Trial

if TYPE_CHECKING:  # Optuna and the plotting library are imported by this command alone, once it runs
    from optuna import Study
    from optuna.storages import BaseStorage

    from voiceperf.report.tuning_plot import Panel
    from voiceperf.tune.space import Space
    from voiceperf.tune.tuner import Found, Tuner

# every sixth recording is heard while searching, as many as bound a WER; when confirming every second, these among them
_QUICK, _WHOLE = Portion(6, 6), Portion(2, 2)
_PREFER, _BASELINE = "speed", "fair"
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


@app.command(rich_help_panel=Group.TUNE)
def tune(
    roles: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(ROLES)}; all where none is named.")] = None,
    budget: Annotated[str, typer.Option(help="How long it may take: 90s, 15m or 1h.")] = "15m",
    prefer: Annotated[str, typer.Option(help=f"Of those that keep quality: {', '.join(PREFERENCES)}.")] = _PREFER,
    baseline: Annotated[
        str,
        complete.profile_option("The profile to start from and whose quality to keep."),
    ] = _BASELINE,
    call: CallFile = None,
    manifest: Manifest = None,
    conversations: Conversations = None,
    texts: Texts = None,
    storage: Storage = STORAGE,
    database: Annotated[
        str | None, typer.Option(help="Keep trials in a database that like machines share, as in sqlite:///tune.db.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Measure nothing: tell what was found before, and why.")
    ] = False,
    plot: Annotated[Path | None, typer.Option(help="With --explain: a picture of it, PNG or SVG.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="With --explain: a report for a pull request, its picture beside it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find the fastest settings of this machine that hear, think and speak no worse, and put them in force.

    First every change alone, then all together, in pairs beside the baseline; what is surely slower is dropped, and
    what is faster must keep its quality. Stopped or killed, it goes on where it was when it is started again.
    """
    wanted = [role_named(name) for name in roles or ROLES]
    if prefer not in PREFERENCES:
        raise InputError(f"--prefer {prefer}: there are {', '.join(PREFERENCES)}")
    budget_s = seconds_of(budget)
    from voiceperf.tune.study import storage_at

    material = Material(manifest, conversations, texts)
    tuner = _tuner(call, storage_at(storage, database), prefer, baseline, material)
    for target in filter(None, (plot, markdown)):
        require_writable(target)
    if explain:
        _explain(tuner, wanted, prefer, plot, markdown)
        return
    try:
        found = _with_progress(tuner, wanted, budget_s)
    except KeyboardInterrupt:
        say("\nstopped; every finished trial is kept: the same command goes on from here")
        raise
    _report(found, as_json)
    if found.load.verdict is Verdict.FAIL:
        say(f"nothing is changed on this machine: load is not borne ({found.load.reason})")
        sys.exit(GATE_EXIT_CODES[Verdict.FAIL])
    path = standing.keep(found.profile, {"prefer": prefer, "figures": _figures(found)})
    say(f"in force on this machine from now on: {path}")


def _tuner(
    call: Path | None,
    storage: BaseStorage,
    prefer: str = _PREFER,
    baseline: str = _BASELINE,
    material: Material | None = None,
) -> Tuner:
    from voiceperf.tune.tuner import Tuner

    material = material or Material()
    others = [name for name in BASELINES if name != baseline]
    return Tuner(
        recorded_call(call),
        (material.corpus(_QUICK, CHOOSING), material.corpus(_WHOLE, CHOOSING)),
        [profiles.load(name) for name in (baseline, *others)],
        [profiles.load(name) for name in profiles.shipped() if name not in (baseline, *others)],
        chosen_profile(None),
        storage=storage,
        prefer=prefer,
    )


def found_before(storage: Path) -> list[Panel]:
    """What tuning has found on this machine with nothing else named, for a report; nothing is measured or written."""
    from voiceperf.tune.study import JOURNAL, storage_at

    if not (storage / JOURNAL).is_file():
        return []
    kept = map(_tuner(None, storage_at(storage)).kept, ROLES)
    panels = [_panel(study, space, _PREFER) for study, space in kept if study]
    return [panel for panel in panels if panel.trials]


def _panel(study: Study, space: Space, prefer: str) -> Panel:
    from voiceperf.report.tuning_plot import Panel
    from voiceperf.tune.explain import importance
    from voiceperf.tune.search import finished
    from voiceperf.tune.study import outcome_of

    trials = finished(study, space)
    return Panel(space, trials, outcome_of(study, trials, prefer).chosen, importance(study, space, trials))


def _explain(tuner: Tuner, roles: list[str], prefer: str, plot: Path | None, markdown: Path | None) -> None:
    from voiceperf.report.tuning_plot import draw
    from voiceperf.tune.explain import in_words

    told, panels = [], []
    for role in roles:
        study, space = tuner.kept(role)
        if study is None:
            say(f"{role} was not tuned here with this call and these libraries; run: voiceperf tune {role}")
            continue
        panels.append(_panel(study, space, prefer))
        trials = panels[-1].trials
        told.append((space, trials, in_words(study, space, trials, prefer)))
        page().print(single_changes(space, trials))
        for line in told[-1][-1]:
            page().print(line, highlight=False)
    if not told:
        raise InputError("there is nothing to explain yet")
    pictures = [plot] if plot else []
    if markdown:
        pictures.append(markdown.with_suffix(".png"))
        write_text(markdown, tuning_markdown(told, pictures[-1].name))
        say(f"written to {markdown}")
    for picture in pictures:
        draw(panels, picture)
        say(f"drawn into {picture}")


def seconds_of(text: str) -> float:
    """A length of time as people write it.

    Raises:
        InputError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h|)", text.strip())
    if match is None or float(match[1]) == 0:
        raise InputError(f"--budget {text}: write it as 90s, 15m or 1h")
    return float(match[1]) * _SECONDS[match[2]]


class _Shown:
    """The search as it goes: a bar with the time left, the best so far and what is being tried; in a log, lines."""

    def __init__(self, progress: Progress, budget_s: float) -> None:
        self._progress, self._budget_s = progress, budget_s
        self._task = progress.add_task("", total=budget_s)
        self._best: dict[str, str] = {}

    def trying(self, role: str, what: str) -> None:
        elapsed_s = self._progress.tasks[self._task].elapsed or 0.0
        left_min = max(0.0, self._budget_s - elapsed_s) / 60
        line = f"{left_min:.0f} min left, {role}{self._best.get(role, '')}: {what}"
        self._progress.update(self._task, completed=elapsed_s, description=line)
        if not self._progress.console.is_terminal:
            say(line)

    def ended(self, role: str, trial: Trial, best: Trial | None) -> None:
        self._best[role] = f", best {best.ratio:.2f}" if best else ""
        if not self._progress.console.is_terminal:
            say(f"{role}: trial {trial.number}, {trial.stage}: {_outcome(trial)}")


def _with_progress(tuner: Tuner, roles: list[str], budget_s: float) -> Found:
    columns = [BarColumn(20), TimeElapsedColumn(), TextColumn("{task.description}", markup=False)]
    with Progress(*columns, console=aside(), transient=True) as progress:
        return tuner.tune(roles, budget_s, _Shown(progress, budget_s))


def _outcome(trial: Trial) -> str:
    if not trial.ran:
        return trial.reason
    return f"{trial.ratio:.2f} of the time{', dropped' if trial.dropped else ''} {trial.verdict}".rstrip()


def _report(found: Found, as_json: bool) -> None:
    if as_json:
        for role, one in found.roles.items():
            print_json({"role": role, "setting": dict(found.profile[role].values), "quality": one.quality})
        print_json({"load": found.load.verdict, "reason": found.load.reason, "retreats": [*map(str, found.retreats)]})
        return
    for one in found.roles.values():
        page().print(single_changes(one.space, one.trials))
        page().print(speed_against_quality(one))
        for name, reason in one.space.left_out.items():
            say(f"{one.space.role}: {name} is left out: {reason}")
        for reason in one.rejected:
            say(f"{one.space.role}: rejected: {reason}")
    page().print(confirmation(found.roles))
    for retreat in found.retreats:
        say(str(retreat))
    say(f"under load: {found.load.verdict}: {found.load.reason}")
    if found.together:
        page().print(together(found.together))


def _figures(found: Found) -> dict[str, object]:
    """What stands in the profile's origin."""
    return {
        role: {
            "changed": one.space.in_words(one.space.choices_of(of_profile(found.profile, role).params)),
            "quality": one.quality,
            **{f"time_over_{name}": asdict(ratio) for name, ratio in one.against.items() if ratio},
        }
        for role, one in found.roles.items()
    }
