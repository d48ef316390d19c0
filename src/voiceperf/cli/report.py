"""`voiceperf report`: a saved run as a page, as Markdown and as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.cli.material import Storage
from voiceperf.cli.tune import found_before
from voiceperf.errors import InputError, VoicePerfError
from voiceperf.files import read_bytes, require_writable, write_text
from voiceperf.history.runs import STORAGE, Run, find_run, latest_run, read_all, read_run, run_files
from voiceperf.history.trend import workload_trends
from voiceperf.log import say
from voiceperf.measure.fingerprint import machine_id

if TYPE_CHECKING:  # the plotting library is imported by this command alone, once it runs
    from voiceperf.report.story import Story
    from voiceperf.report.tuning_plot import Panel


@app.command(rich_help_panel=Group.MEASURE)
def report(
    run: Annotated[
        str,
        typer.Argument(
            help="A saved run: its path, or how its name begins; else the latest.",
            autocompletion=complete.run_names,
        ),
    ] = "",
    out: Annotated[Path, typer.Option(help="The page to write, one file with everything in it.")] = Path("report.html"),
    markdown: Annotated[Path | None, typer.Option(help="Write it for a pull request too.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw it for a chat too, as PNG or SVG.")] = None,
    storage: Storage = STORAGE,
    as_json: Json = False,
) -> None:
    """Show a saved run to people: what got faster, by how much, how sure that is, and what it cost."""
    from voiceperf.report.chart import require_picture, save
    from voiceperf.report.charts import card
    from voiceperf.report.html import page
    from voiceperf.report.story import story_of
    from voiceperf.report.story_markdown import story_markdown

    for target in filter(None, (out, markdown)):
        require_writable(target)
    if picture:
        require_picture(picture)
    path = find_run(storage, run) if run else _latest(storage)
    found = read_run(path)
    story = story_of(found)
    trends = workload_trends(read_all(storage)[0], found)
    _write(out, page(story, trends, _panels(found, storage), storage, read_bytes(path)))
    if markdown:
        _write(markdown, story_markdown(story))
    if picture:
        save(card(story.headline, story.candidate, story.rows_beside(story.baselines[0])).figure, picture)
        say(f"drawn into {picture}")
    if as_json:
        print_json(_as_record(found, story))


def _latest(storage: Path) -> Path:
    """The latest of this machine, else of another."""
    paths = run_files(storage)
    if not paths:
        raise InputError(f"{storage}: no saved run; save one with: voiceperf bench")
    try:
        return latest_run(storage, machine_id())
    except InputError:
        say(f"none is of this machine; {paths[-1].name} is another's")
        return paths[-1]


def _write(path: Path, text: str) -> None:
    write_text(path, text)
    say(f"written to {path}")


def _panels(run: Run, storage: Path) -> list[Panel]:
    """What tuning has found on the run's machine, if it is this one; a report does without it."""
    if run.machine_id != machine_id():
        return []
    try:
        return found_before(storage)
    except VoicePerfError as error:
        say(f"without what tuning has found: {error}")
        return []


def _as_record(run: Run, story: Story) -> dict[str, object]:
    return {
        "run": run.source,
        "verdict": str(story.verdict),
        "headline": story.headline,
        "criteria": [
            {"criterion": row.asked.plain, "baseline": row.baseline, "verdict": str(row.verdict), "reason": row.reason}
            for row in story.rows
        ],
    }
