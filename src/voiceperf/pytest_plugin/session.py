"""A session that measures: its plan, its suite, what its tests do, and what is shown and saved at its end."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from voiceperf import call as calls
from voiceperf import machine, places, profiles, project
from voiceperf.errors import InputError, VoicePerfError
from voiceperf.files import refusal_of
from voiceperf.history import sounds
from voiceperf.history.compare import differences
from voiceperf.history.formerly import workload_of
from voiceperf.history.runs import NORMALISED_TO, Run
from voiceperf.judge.criteria import Criterion
from voiceperf.judge.verdict import Verdict
from voiceperf.log import Progress
from voiceperf.measure.contender import changed
from voiceperf.measure.control import NOMINAL_S
from voiceperf.measure.fingerprint import fingerprint
from voiceperf.pytest_plugin import gate, measured_here
from voiceperf.report.kinds import kinds_table, rates_of_examples
from voiceperf.report.tables import page, print_criteria
from voiceperf.roles import HEARING
from voiceperf.suite.plan import DEFAULT_FORM, FORMS, Form, Plan
from voiceperf.suite.session import Measured, run_of_session
from voiceperf.suite.suite import Suite

_PROGRESS_EVERY = 40

_suite = pytest.StashKey[Suite]()
_plan = pytest.StashKey[Plan]()
_measured = pytest.StashKey[list[Measured]]()


def plan_of(config: pytest.Config) -> Plan:
    """What the command line and the ini file ask for, read once."""
    if _plan not in config.stash:
        try:
            config.stash[_plan] = _read_plan(config)
        except VoicePerfError as error:
            raise pytest.UsageError(str(error)) from None
        except OSError as error:
            raise pytest.UsageError(refusal_of(error)) from None
    return config.stash[_plan]


def _read_plan(config: pytest.Config) -> Plan:
    said = project.defaults(config.rootpath)
    candidate = profiles.load(config.getoption("voiceperf_candidate") or said.get("candidate") or profiles.DEFAULT)
    form = _form(config)
    usual = [name for name in form.baselines if name != candidate.name] or form.baselines
    baselines = config.getoption("voiceperf_baseline") or said.get(project.BASELINES) or usual
    return Plan(
        call=calls.load(_file(config, said, "call", "voiceperf_call") or places.CALL),
        baselines=tuple(profiles.load(name) for name in baselines),
        candidate=changed(candidate, config.getoption("voiceperf_set") or ())[0],
        form=form,
        manifest=_file(config, said, "manifest", "voiceperf_manifest_file") or places.MANIFEST,
        conversations=_file(config, said, "conversations", "voiceperf_conversations_file") or places.CONVERSATIONS,
        texts=_file(config, said, "texts", "voiceperf_texts_file"),
        max_rss_bytes=_max_rss_bytes(config),
    )


def _max_rss_bytes(config: pytest.Config) -> int | None:
    typed = config.getoption("voiceperf_max_memory_mib")
    if typed is None:
        return None
    if not typed.isdecimal() or int(typed) < 1:
        raise InputError(f"--voiceperf-max-memory-mib {typed}: must be a whole number of MiB")
    return int(typed) * 2**20


def _form(config: pytest.Config) -> Form:
    """As asked for; under a gate the accepted run's, because only equal forms compare."""
    wanted = config.getoption("voiceperf_form")
    if wanted is not None and wanted not in FORMS:
        raise InputError(f"--voiceperf-form {wanted}: there are {', '.join(FORMS)}")
    return FORMS.get(wanted or gate.accepted_form(config) or DEFAULT_FORM, FORMS[DEFAULT_FORM])


def _file(config: pytest.Config, said: Mapping[str, Any], name: str, option: str) -> Path | None:
    """By the command line, else the ini file, else the project's own table."""
    typed, inis = config.getoption(option), config.getini(f"voiceperf_{name}") if name != "texts" else []
    return Path(typed) if typed else inis[0] if inis else Path(said[name]) if name in said else None


def values_of(name: str, config: pytest.Config) -> dict[str, Any]:
    """What a parameter of ours stands for, as `parametrize` takes it."""
    plan = plan_of(config)
    if name == "voiceperf_turn":
        turns = plan.form.turns(plan.call)
        return {"argvalues": turns, "ids": [f"turn_{turn.number}" for turn in turns]}
    baselines = [profile.name for profile in plan.baselines]
    return {"argvalues": baselines if name == "voiceperf_baseline" else [*baselines, plan.candidate.name]}


def suite(config: pytest.Config) -> Iterator[Suite]:
    """The session's suite."""
    made = Suite(plan_of(config), _progress(config))
    config.stash[_suite] = made
    config.stash[measured_here] = True
    yield made


def _progress(config: pytest.Config) -> Progress:
    """Long work says now and then how far it is, past pytest's capturing."""
    terminal = config.pluginmanager.getplugin("terminalreporter")

    def step(title: str, done: int, total: int) -> None:
        if terminal is not None and (done % _PROGRESS_EVERY == 0 or done == total):
            terminal.write_line(f"  quality: {title}, {done} of {total}")

    return step


class Replay:
    """A timer for pytest-benchmark, and the work that it times: what the suite has measured, round by round.

    So its columns, its histogram and its comparisons show the very runs that the criteria use, over the control's time:
    seconds by the clock compare with those of no other hour.
    """

    def __init__(self) -> None:
        self._times_s: Iterator[float] = iter(())
        self._now_s = 0.0

    def __call__(self) -> float:
        return self._now_s

    def load(self, times_s: Iterable[float]) -> None:
        """What the next rounds take."""
        self._times_s = iter(times_s)

    def one_round(self) -> None:
        """Let the time of one round pass."""
        self._now_s += next(self._times_s, 0.0)  # --benchmark-cprofile asks once more


class Benchmarked:
    """One test's benchmark: a workload of one turn under one profile, measured in blocks with all others."""

    def __init__(self, suite: Suite, benchmark: Any, replay: Replay, node: pytest.Item) -> None:
        self._suite, self._benchmark, self._replay, self._node = suite, benchmark, replay, node

    def __call__(self, workload: str, profile: str, turn: calls.Turn) -> None:
        try:
            self._measure(workload, profile, turn)
        except VoicePerfError as error:  # one line, which names the engine and the remedy
            pytest.fail(str(error), pytrace=False)

    def _measure(self, workload: str, profile: str, turn: calls.Turn) -> None:
        suite, threshold = self._suite, _threshold_of(self._node)
        workload = workload_of(workload)
        if lacking := suite.not_applicable(workload):
            pytest.skip(f"not applicable: {lacking}")
        taken = suite.measure(workload, turn)
        times_s = taken.over_control_s(profile)
        self._replay.load(times_s)
        self._benchmark.group = f"{workload} turn {turn.number}, normalised by the control"
        self._benchmark.pedantic(self._replay.one_round, rounds=len(times_s))
        extra = self._benchmark.extra_info
        extra |= {"workload": workload, "profile": profile, "turn": turn.number, NORMALISED_TO: NOMINAL_S}
        extra |= {"partner": suite.partner_of(profile), "usage": taken.usage[profile].as_record()}
        extra |= threshold
        self._node.config.stash.setdefault(_measured, []).append(Measured(self._node.nodeid, extra, taken))


def _threshold_of(item: pytest.Item) -> dict[str, float]:
    """What the benchmark's marker lets it become slower by."""
    marker = item.get_closest_marker("voiceperf_max_slowdown")
    if marker is None:
        return {}
    if len(marker.args) != 1 or not isinstance(marker.args[0], float) or not 0 < marker.args[0] < math.inf:
        pytest.fail("voiceperf_max_slowdown takes one share above zero, as in (0.05)", pytrace=False)
    return {"max_slowdown": marker.args[0]}


def require(suite: Suite, criterion: Criterion) -> None:
    """Fail the test that asks, unless the criterion is what the form demands; skip what these engines cannot do."""
    if criterion.verdict is Verdict.NOT_APPLICABLE:
        pytest.skip(f"{criterion.name}: not applicable: {criterion.decisive.reason}")
    tolerated = {Verdict.PASS} if suite.plan.form.name == "full" else {Verdict.PASS, Verdict.INCONCLUSIVE}
    if criterion.verdict not in tolerated:
        pytest.fail(f"{criterion.name}: {criterion.decisive.reason}", pytrace=False)


def this_run(config: pytest.Config) -> Run:
    """What the session has measured, as a run."""
    record = config.stash[_suite].as_record() if _suite in config.stash else {}
    date = datetime.now(UTC).isoformat(timespec="seconds")
    return run_of_session(config.stash.get(_measured, []), record, _facts(config), date)


def summarise(terminal: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The criteria, how each kind of recording was heard, and the gate's verdict."""
    text = io.StringIO()
    console = page(text, is_terminal=terminal.hasmarkup)
    if _suite in config.stash:
        made = config.stash[_suite]
        if made.criteria:
            print_criteria(made.criteria, console)
            sides = [plan_of(config).baselines[-1].name, plan_of(config).candidate.name]
            if rates := rates_of_examples(made.examples.texts.get(HEARING, {}), sides):
                console.print(kinds_table(rates, sides))
        else:
            console.print("voiceperf: no criterion was judged, so there is no verdict", highlight=False)
        if made.plan.candidate.name == profiles.DEFAULT and made.unfit():
            console.print(
                f"{profiles.DEFAULT} does not hold on this machine; run: voiceperf settle, which finds what does",
                highlight=False,
            )
    gate.summarise(config, console)
    if text.getvalue():
        terminal.write(f"\n{text.getvalue()}")


def put_fingerprint(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Name what the run is measured on, in pytest-benchmark's own record of the machine."""
    machine_info.pop("node", None)  # histories are shared; the host's name tells nothing that the fingerprint does not
    if facts := _facts(config):
        machine_info["voiceperf"] = facts


def _facts(config: pytest.Config) -> dict[str, Any]:
    """The fingerprint; nothing where a model or a server's key is missing: the tests that need it say so."""
    try:
        return fingerprint(plan_of(config).contenders())
    except VoicePerfError:
        return {}


def say_what_differs(
    warn: Callable[[str], None],
    saved: Mapping[str, Any],
    now: Mapping[str, Any],
    benchmarks: Iterable[Mapping[str, Any]],
) -> None:
    """Before pytest-benchmark's own comparison: of another machine no time compares; else what else is another."""
    if any(NORMALISED_TO not in one["extra_info"] and "workload" in one["extra_info"] for one in benchmarks):
        warn("voiceperf: the saved run has seconds by the clock, this session's are normalised by the control")
    if machine.identity(saved) != machine.identity(now):
        warn("voiceperf: the saved run is of another machine: its times say nothing about this one's")
    elif changed := differences(machine.with_kernel_apart(saved), now):
        warn(f"voiceperf: changed since the saved run: {'; '.join(changed)}")


def put_record(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Save what the suite knows beside pytest-benchmark's own figures."""
    made = config.stash[_suite]
    output_json["voiceperf"] = made.as_record()
    try:
        for digest, speech in made.examples.sounds.items():
            sounds.keep(gate.storage_of(config), digest, speech.audio, speech.rate_hz)
    except InputError as error:  # the run itself may be written elsewhere
        config.issue_config_time_warning(pytest.PytestWarning(f"voiceperf: sounds are not kept: {error}"), 2)
    for measured in config.stash.get(_measured, []):
        measured.complete()
    for params in (benchmark["params"] for benchmark in output_json["benchmarks"] if benchmark["params"]):
        for name, value in params.items():
            if isinstance(value, calls.Turn):
                params[name] = value.number  # the object's text would hold this machine's paths
