"""`voiceperf models list|pull|verify`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn
from rich.table import Table

from voiceperf.cli import complete
from voiceperf.cli.app import Group, Json, app, print_json
from voiceperf.errors import ModelError
from voiceperf.log import say
from voiceperf.models import store
from voiceperf.models.catalogue import CATALOGUE, find
from voiceperf.places import cache_dir
from voiceperf.report.tables import page

models = typer.Typer(help="Where the models come from: list, pull and verify them.", no_args_is_help=True)
app.add_typer(models, name="models", rich_help_panel=Group.SET_UP)

Names = Annotated[
    list[str] | None,
    typer.Argument(
        help="Models of the catalogue; all of them where none is named.",
        autocompletion=complete.model_names,
    ),
]


@models.command("list")
def list_models(as_json: Json = False) -> None:
    """Show every model of the catalogue, and which are here."""
    table = Table(title=f"models in {cache_dir() / 'models'}", title_justify="left")
    for column in ("model", "MB", "here", "licence", "sources, in order"):
        table.add_column(column, justify="right" if column == "MB" else "left")
    for asset in CATALOGUE.values():
        here = store.path_of(asset).is_file()
        sources = [source.describe() for source in asset.sources]
        if as_json:
            row = {"model": asset.name, "bytes": asset.bytes, "here": here, "licence": asset.licence}
            print_json({**row, "sha256": asset.sha256, "path": str(store.path_of(asset)), "sources": sources})
        table.add_row(
            asset.name, f"{asset.bytes / 1e6:.0f}", "yes" if here else "no", asset.licence, "; ".join(sources)
        )
    if not as_json:
        page().print(table)


@models.command()
def pull(names: Names = None, as_json: Json = False) -> None:
    """Fetch models into the cache; those that are there already are left alone."""
    chosen = [find(name).name for name in names or CATALOGUE]
    with ExitStack() as stack:
        if not all(store.path_of(CATALOGUE[name]).is_file() for name in chosen):
            stack.enter_context(store.alone(lambda: say("another pull is under way; waiting for its end")))
        progress = stack.enter_context(_ProgressLines())
        for name in chosen:
            path = store.pull(name, progress.step)
            if as_json:
                print_json({"model": name, "path": str(path)})
        store.tidy()
    if not as_json:
        say(f"{len(chosen)} models are in {cache_dir() / 'models'}")


@models.command()
def verify(names: Names = None, as_json: Json = False) -> None:
    """Read every byte of the cached models and compare with what was pulled."""
    chosen = names or [name for name, asset in CATALOGUE.items() if store.path_of(asset).is_file()]
    problems = []
    for name in chosen:
        problem = store.verify(name)
        problems += [problem] if problem else []
        if as_json:
            print_json({"model": name, "ok": problem is None, "problem": problem})
        else:
            say(f"{name}: {problem or 'good'}")
    if problems:
        raise ModelError(f"{len(problems)} of {len(chosen)} models are damaged: {problems[0]}")


class _ProgressLines:
    """A bar on a terminal, one line a step in a log."""

    def __init__(self) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self._bars = Progress(*columns, transient=True, disable=not sys.stderr.isatty())
        self._title = ""
        self._task: TaskID | None = None

    def step(self, title: str, done: int, total: int) -> None:
        if title != self._title:
            self._title = title
            if self._bars.disable:
                say(title)
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._task = self._bars.add_task(title, total=total or None)
        if self._task is not None:
            self._bars.update(self._task, completed=done, total=total or None)

    def __enter__(self) -> _ProgressLines:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()
