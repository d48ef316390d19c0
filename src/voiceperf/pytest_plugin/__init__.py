"""The pytest plugin: options, fixtures and hooks. The logic is in `voiceperf.suite`, the gate's hooks are in `gate`."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from voiceperf import call as calls
from voiceperf import profiles
from voiceperf.errors import ModelError, VoicePerfError
from voiceperf.history import sounds
from voiceperf.history.runs import Run
from voiceperf.judge.criteria import Criterion
from voiceperf.judge.verdict import Verdict
from voiceperf.measure.fingerprint import fingerprint
from voiceperf.measure.resources import usage_between
from voiceperf.pytest_plugin import gate
from voiceperf.report.kinds import kinds_table, rates_of_examples
from voiceperf.report.terminal import page, print_criteria
from voiceperf.suite import material, standing
from voiceperf.suite.quality import Step
from voiceperf.suite.session import Measured, run_of_session
from voiceperf.suite.settle import Settlement
from voiceperf.suite.suite import BASELINES, DEFAULT_FORM, FORMS, Form, Plan, Suite

_PROGRESS_EVERY = 40

_suite = pytest.StashKey[Suite]()
_plan = pytest.StashKey[Plan]()
_measured = pytest.StashKey[list[Measured]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("voiceperf", "voice agent benchmarks")
    group.addoption("--call", help="call file to replay (default: ini option voiceperf_call)")
    group.addoption(
        "--candidate", help=f"profile to judge: a name or the path of a TOML file (default: {profiles.DEFAULT})"
    )
    group.addoption(
        "--voiceperf-form",
        choices=tuple(FORMS),
        help="short: only a decisive FAIL is red; full: every criterion must PASS "
        f"(default: {DEFAULT_FORM}; under a gate, the accepted run's)",
    )
    gate.add_options(group)
    for name, what in (
        ("voiceperf_call", "call file to replay"),
        ("voiceperf_manifest", "recordings with transcripts, for the quality gate"),
        ("voiceperf_conversations", "conversations, for the quality gate"),
    ):
        parser.addini(name, f"{what} (default: those that come with voiceperf)", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "models: needs the real models; skipped where they are missing, except in CI")
    config.addinivalue_line(
        "markers", "max_slowdown(share): the gate's threshold for this benchmark; 0.05 lets it become 5% slower"
    )
    config.stash[_measured] = []
    _take_whole_suite(config)
    gate.begin(config)
    if config.getoption("--call") or config.getoption("--candidate"):
        plan_of(config)  # what the user typed is checked before anything is collected


def _take_whole_suite(config: pytest.Config) -> None:
    """With a call, and where neither tests nor a call of the project's are named, run the suite of the package."""
    nothing_named = config.args_source is not pytest.Config.ArgsSource.ARGS
    if config.getoption("--call") and nothing_named and not config.getini("voiceperf_call"):
        config.args = [str(resources.files(__name__).joinpath("whole_suite.py"))]


def pytest_sessionfinish(session: pytest.Session) -> None:
    gate.finish(session, partial(_this_run, session.config))


def _this_run(config: pytest.Config) -> Run:
    record = config.stash[_suite].as_record() if _suite in config.stash else {}
    facts: dict[str, Any] = {}
    with contextlib.suppress(ModelError):  # then nothing was measured either, and the gate says so
        facts = fingerprint(plan_of(config).contenders())
    return run_of_session(config.stash[_measured], record, facts, datetime.now(UTC).isoformat(timespec="seconds"))


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
    path = Path(chosen) if chosen else _ini_path(config, "voiceperf_call", material.CALL)
    return Plan(
        call=calls.load(path / "call.toml" if path.is_dir() else path),
        baselines=tuple(profiles.load(name) for name in BASELINES),
        candidate=profiles.load(config.getoption("--candidate") or profiles.DEFAULT),
        form=_form(config),
        manifest=_ini_path(config, "voiceperf_manifest", material.MANIFEST),
        conversations=_ini_path(config, "voiceperf_conversations", material.CONVERSATIONS),
    )


def _form(config: pytest.Config) -> Form:
    """As asked for; under a gate the accepted run's, because only equal forms compare."""
    wanted = config.getoption("--voiceperf-form") or gate.accepted_form(config)
    return FORMS.get(wanted or DEFAULT_FORM, FORMS[DEFAULT_FORM])


def _ini_path(config: pytest.Config, name: str, shipped: Path) -> Path:
    paths: list[Path] = config.getini(name)
    return paths[0] if paths else shipped


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
def duel(voiceperf: Suite, benchmark: Any, request: pytest.FixtureRequest) -> Callable[[str, str, calls.Turn], None]:
    """Benchmark one workload of one turn under one profile, in ABBA pairs with its partner."""

    def measure(workload: str, profile: str, turn: calls.Turn) -> None:
        threshold = _threshold_of(request.node)
        recorder = voiceperf.recorder(workload, profile, turn)
        before = voiceperf.account(workload, profile)
        benchmark.group = f"{workload} turn {turn.number}"
        benchmark.pedantic(
            recorder.subject,
            setup=recorder.before,
            teardown=recorder.after,
            rounds=voiceperf.rounds(workload),
        )
        used = usage_between(before, voiceperf.account(workload, profile))
        extra = benchmark.extra_info
        extra |= {"workload": workload, "profile": profile, "turn": turn.number}
        extra |= {"partner": voiceperf.partner_of(profile), "usage": used.as_record()}
        extra |= threshold
        if workload == "llama":
            extra["natural_reply"] = voiceperf.workers.natural_reply(profile, turn)
        request.config.stash[_measured].append(Measured(request.node.nodeid, extra, recorder))

    return measure


def _threshold_of(item: pytest.Item) -> dict[str, float]:
    """What the benchmark's marker lets it become slower by."""
    marker = item.get_closest_marker("max_slowdown")
    if marker is None:
        return {}
    if len(marker.args) != 1 or not isinstance(marker.args[0], float) or not 0 < marker.args[0] < math.inf:
        pytest.fail("max_slowdown takes one share above zero, as in max_slowdown(0.05)", pytrace=False)
    return {"max_slowdown": marker.args[0]}


@pytest.fixture
def require(voiceperf: Suite) -> Callable[[Criterion], None]:
    """Hold a criterion to what the form demands: PASS in the full form, no decisive failure in the short one."""

    def check(criterion: Criterion) -> None:
        tolerated = {Verdict.PASS} if voiceperf.plan.form.name == "full" else {Verdict.PASS, Verdict.INCONCLUSIVE}
        if criterion.verdict not in tolerated:
            pytest.fail(f"{criterion.name} against {criterion.baseline}: {criterion.decisive.reason}", pytrace=False)

    return check


def _step_back(config: pytest.Config, say: Callable[[str], None]) -> None:
    """Where the shipped profile failed here, let this machine's commands use what holds; a CI machine runs no agent."""
    plan, suite = plan_of(config), config.stash[_suite]
    if plan.candidate.name != profiles.DEFAULT or not suite.unfit() or os.environ.get("CI"):
        return
    say(f"{plan.candidate.name} does not hold on this machine; looking for what does (voiceperf settle)")
    try:
        standing.settle_here(Settlement(plan.call, suite.gate.corpus, plan.baselines[-1]), plan.candidate, say)
    except VoicePerfError as error:
        say(f"nothing is changed: {error}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    stream = terminalreporter._tw._file  # pytest offers no public one
    console = page(stream)
    if _suite in config.stash and config.stash[_suite].criteria:
        terminalreporter.write_line("")
        print_criteria(config.stash[_suite].criteria, console)
        sides = [plan_of(config).baselines[-1].name, plan_of(config).candidate.name]
        if rates := rates_of_examples(config.stash[_suite].examples.texts.get("whisper", {}), sides):
            console.print(kinds_table(rates, sides))
        _step_back(config, terminalreporter.write_line)
    gate.summarise(config, console)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Name what the run is measured on; a comparison with a saved run asks before the first test."""
    if not (config.getoption("--call") or config.getini("voiceperf_call") or _suite in config.stash):
        return
    machine_info.pop("node", None)  # histories are shared; the host's name tells nothing that the fingerprint does not
    with contextlib.suppress(ModelError):  # where models are missing, so are the tests that need them
        machine_info["voiceperf"] = fingerprint(plan_of(config).contenders())


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, benchmarks: Any, output_json: dict[str, Any]) -> None:
    if _suite not in config.stash:
        return
    suite = config.stash[_suite]
    output_json["voiceperf"] = suite.as_record()
    for digest, speech in suite.examples.sounds.items():
        sounds.keep(gate.storage_of(config), digest, speech.audio, speech.rate_hz)
    for measured in config.stash[_measured]:
        measured.complete()
    for params in (benchmark["params"] for benchmark in output_json["benchmarks"] if benchmark["params"]):
        if isinstance(params.get("turn"), calls.Turn):
            params["turn"] = params["turn"].number  # the object's text would hold this machine's paths
