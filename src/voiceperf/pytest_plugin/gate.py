"""`--voiceperf-gate`: the session's benchmarks against the accepted run, and an exit code that says what came of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from voiceperf.errors import InputError, VoicePerfError
from voiceperf.files import refusal_of, require_writable, write_text
from voiceperf.history.compare import Comparison, compare_runs
from voiceperf.history.ledger import accepted_path, calibration_of
from voiceperf.history.runs import STORAGE, Run, find_run, read_run
from voiceperf.judge.verdict import GATE_EXIT_CODES, Verdict
from voiceperf.measure.fingerprint import machine_id
from voiceperf.pytest_plugin import why_not_measuring
from voiceperf.report.comparison import comparison_markdown, print_comparison

_ACCEPTED = "accepted"  # what --voiceperf-gate without a value means
_ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED)

_accepted = pytest.StashKey[Run]()
_comparison = pytest.StashKey[Comparison]()
_unjudged = pytest.StashKey[str]()


def begin(config: pytest.Config) -> None:
    """Find the run to compare with; what can be known to be missing ends the session before anything is measured."""
    try:
        config.stash[_accepted] = _find_accepted(config)
    except (VoicePerfError, OSError) as error:
        reason = refusal_of(error) if isinstance(error, OSError) else error
        pytest.exit(f"voiceperf gate: {Verdict.INVALID}: {reason}", GATE_EXIT_CODES[Verdict.INVALID])


def accepted_form(config: pytest.Config) -> str | None:
    """The form of the run to compare with: only equal forms compare."""
    return config.stash[_accepted].record.get("form") if _accepted in config.stash else None


def finish(session: pytest.Session, this_run: Callable[[], Run]) -> None:
    """Judge the session; one that broke off keeps its own exit code."""
    config = session.config
    if _accepted not in config.stash or session.exitstatus not in _ENDED:
        return
    verdict = Verdict.INVALID
    try:
        comparison = compare_runs(config.stash[_accepted], this_run(), storage_of(config))
        config.stash[_comparison] = comparison
        verdict = comparison.finding.verdict
        if markdown := config.getoption("voiceperf_markdown"):
            write_text(Path(markdown), comparison_markdown(comparison))
    except VoicePerfError as error:
        verdict = Verdict.INVALID
        config.stash[_unjudged] = f"voiceperf gate: {verdict}: {error}"
    if verdict is not Verdict.PASS:
        session.exitstatus = GATE_EXIT_CODES[verdict]


def summarise(config: pytest.Config, console: Console) -> None:
    """Say what came of it."""
    if _comparison in config.stash:
        print_comparison(config.stash[_comparison], console)
    if _unjudged in config.stash:
        console.print(config.stash[_unjudged], highlight=False)


def _find_accepted(config: pytest.Config) -> Run:
    if why := "--collect-only" if config.getoption("collectonly") else why_not_measuring(config):
        raise InputError(f"{why}: nothing would be measured")
    storage = storage_of(config)
    wanted: str = config.getoption("voiceperf_gate")
    here = machine_id()
    run = read_run(accepted_path(storage, here) if wanted == _ACCEPTED else find_run(storage, wanted, here))
    calibration_of(storage, here)  # a damaged one is said now, and not after the measuring
    if markdown := config.getoption("voiceperf_markdown"):
        require_writable(Path(markdown), "--voiceperf-markdown")
    return run


def storage_of(config: pytest.Config) -> Path:
    """pytest-benchmark's own folder of runs; where it stores on a server, the accepted run is still a file."""
    storage: str = config.getoption("benchmark_storage")
    return STORAGE if storage.startswith("elasticsearch+") else Path(storage.removeprefix("file://"))
