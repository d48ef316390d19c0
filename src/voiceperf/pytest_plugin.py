"""The pytest plugin: options, fixtures and hooks around a suite. All logic is in `voiceperf.suite`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from voiceperf import call as calls
from voiceperf import profiles
from voiceperf.errors import InputError, ModelError, VoicePerfError
from voiceperf.judge.criteria import Criterion
from voiceperf.judge.verdict import Verdict
from voiceperf.measure.fingerprint import fingerprint
from voiceperf.report.terminal import WIDTH, print_criteria
from voiceperf.suite.quality import Step
from voiceperf.suite.suite import FORMS, Plan, Suite

BASELINES = ("seed", "fair")
_PROGRESS_EVERY = 40

_suite = pytest.StashKey[Suite]()
_plan = pytest.StashKey[Plan]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("voiceperf", "voice agent benchmarks")
    group.addoption("--call", help="call file to replay (default: ini option voiceperf_call)")
    group.addoption(
        "--candidate", help=f"profile to judge: a name or the path of a TOML file (default: {profiles.DEFAULT})"
    )
    group.addoption(
        "--voiceperf-form",
        choices=tuple(FORMS),
        default="short",
        help="short: only a decisive FAIL is red; full: every criterion must PASS (default: short)",
    )
    parser.addini("voiceperf_call", "call file to replay", type="paths", default=[])
    parser.addini("voiceperf_manifest", "recordings with transcripts, for the quality gate", type="paths", default=[])
    parser.addini("voiceperf_conversations", "conversations, for the quality gate", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "models: needs the real models; skipped where they are missing, except in CI")
    if config.getoption("--call") or config.getoption("--candidate"):
        plan_of(config)  # what the user typed is checked before anything is collected


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Beside the `voiceperf` fixture, `turn`, `profile` and `baseline` stand for each of the plan's, one test each."""
    if "voiceperf" not in metafunc.fixturenames:
        return
    if "turn" in metafunc.fixturenames:
        plan = plan_of(metafunc.config)
        turns = plan.form.turns(plan.call)
        metafunc.parametrize("turn", turns, ids=[f"turn_{turn.number}" for turn in turns])
    if "profile" in metafunc.fixturenames:
        metafunc.parametrize("profile", [*BASELINES, plan_of(metafunc.config).candidate.name])
    if "baseline" in metafunc.fixturenames:
        metafunc.parametrize("baseline", BASELINES)


def plan_of(config: pytest.Config) -> Plan:
    """What the command line and the ini file ask for, read once."""
    if _plan not in config.stash:
        try:
            config.stash[_plan] = _read_plan(config)
        except VoicePerfError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[_plan]


def _read_plan(config: pytest.Config) -> Plan:
    chosen = config.getoption("--call")
    path = Path(chosen) if chosen else _ini_path(config, "voiceperf_call")
    candidate = profiles.load(config.getoption("--candidate") or profiles.DEFAULT)
    if candidate.name in BASELINES:
        raise InputError(f"--candidate {candidate.name}: that is a baseline's name; name another profile or file")
    return Plan(
        call=calls.load(path / "call.toml" if path.is_dir() else path),
        baselines=tuple(profiles.load(name) for name in BASELINES),
        candidate=candidate,
        form=FORMS[config.getoption("--voiceperf-form")],
        manifest=_ini_path(config, "voiceperf_manifest"),
        conversations=_ini_path(config, "voiceperf_conversations"),
    )


def _ini_path(config: pytest.Config, name: str) -> Path:
    paths: list[Path] = config.getini(name)
    if not paths:
        raise pytest.UsageError(f"set {name} in the ini file, or give the file on the command line")
    return paths[0]


@pytest.fixture(scope="session")
def voiceperf(pytestconfig: pytest.Config) -> Iterator[Suite]:
    """The session's suite: workers, recorded pairs, criteria."""
    made = Suite(plan_of(pytestconfig), _progress(pytestconfig))
    pytestconfig.stash[_suite] = made
    yield made
    made.close()


def _progress(config: pytest.Config) -> Step:
    """Long work says now and then how far it is, past pytest's capturing."""
    terminal = config.pluginmanager.getplugin("terminalreporter")

    def step(title: str, done: int, total: int) -> None:
        if terminal is not None and (done % _PROGRESS_EVERY == 0 or done == total):
            terminal.write_line(f"  quality: {title}, {done} of {total}")

    return step


@pytest.fixture
def duel(voiceperf: Suite, benchmark: Any) -> Callable[[str, str, calls.Turn], None]:
    """Benchmark one workload of one turn under one profile, in ABBA pairs with its partner."""

    def measure(workload: str, profile: str, turn: calls.Turn) -> None:
        recorder = voiceperf.recorder(workload, profile, turn)
        recorder.warm_up()
        benchmark.group = f"{workload} turn {turn.number}"
        benchmark.pedantic(
            recorder.subject,
            setup=recorder.before,
            teardown=recorder.after,
            rounds=voiceperf.plan.form.rounds[workload],
        )
        benchmark.extra_info["profile"] = profile
        benchmark.extra_info["pairs_wall_ns"] = [(p.subject.wall_ns, p.partner.wall_ns) for p in recorder.pairs]
        benchmark.extra_info["subject"] = [pair.subject.as_record() for pair in recorder.pairs]
        if workload == "llama":
            benchmark.extra_info["natural_reply"] = voiceperf.workers.natural_reply(profile, turn)

    return measure


@pytest.fixture
def require(voiceperf: Suite) -> Callable[[Criterion], None]:
    """Hold a criterion to what the form demands: PASS in the full form, no decisive failure in the short one."""

    def check(criterion: Criterion) -> None:
        tolerated = {Verdict.PASS} if voiceperf.plan.form.name == "full" else {Verdict.PASS, Verdict.INCONCLUSIVE}
        if criterion.verdict not in tolerated:
            pytest.fail(f"{criterion.name} against {criterion.baseline}: {criterion.decisive.reason}", pytrace=False)

    return check


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if _suite in config.stash and config.stash[_suite].criteria:
        terminalreporter.write_line("")
        stream = terminalreporter._tw._file  # pytest offers no public one
        console = Console(file=stream, width=None if stream.isatty() else WIDTH)
        print_criteria(config.stash[_suite].criteria, console)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Name what the run is measured on; a comparison with a saved run asks before the first test."""
    if not (config.getoption("--call") or config.getini("voiceperf_call")):
        return
    machine_info.pop("node", None)  # histories are shared; the host's name tells nothing that the fingerprint does not
    with contextlib.suppress(ModelError):  # where models are missing, so are the tests that need them
        machine_info["voiceperf"] = fingerprint(plan_of(config).contenders())


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, benchmarks: Any, output_json: dict[str, Any]) -> None:
    if _suite in config.stash:
        output_json["voiceperf"] = {"criteria": [row.as_record() for row in config.stash[_suite].criteria]}
