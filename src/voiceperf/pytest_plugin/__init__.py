"""The pytest plugin: options, fixtures and hooks.

Every pytest session of the environment loads this module, whether or not it measures a voice agent. So it imports
nothing but pytest. What measures is in `session`, the gate in `gate`; both are imported once they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from voiceperf.call import Turn
    from voiceperf.judge.criteria import Criterion
    from voiceperf.suite.plan import Plan
    from voiceperf.suite.suite import Suite

_PARAMETERS = ("voiceperf_turn", "voiceperf_profile", "voiceperf_baseline")
_SHORT = {"--call": "voiceperf_call", "--candidate": "voiceperf_candidate"}
"""Short names of options, and what they set. They exist only where nothing else has them."""
_OURS = (
    "voiceperf_call",
    "voiceperf_candidate",
    "voiceperf_form",
    "voiceperf_baseline",
    "voiceperf_set",
    "voiceperf_manifest_file",
    "voiceperf_conversations_file",
    "voiceperf_texts_file",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("voiceperf", "voice agent benchmarks")
    group.addoption(
        "--voiceperf-call",
        metavar="CALL",
        help="call file or folder to replay (default: ini option voiceperf_call); --call for short, where nothing"
        " else has that name",
    )
    group.addoption(
        "--voiceperf-candidate",
        metavar="PROFILE",
        help="profile to judge: a name or the path of a TOML file (default: the shipped one); --candidate for short,"
        " where nothing else has that name",
    )
    group.addoption(
        "--voiceperf-baseline",
        action="append",
        metavar="PROFILE",
        help="profile to be faster than and no worse (default: fair; in the full form seed, upstream too); repeatable",
    )
    group.addoption(
        "--voiceperf-set",
        action="append",
        metavar="NAME=VALUE",
        help="change one parameter of the candidate, as in thinking.n_threads=2; may be repeated",
    )
    for name, what in (("manifest", "recordings"), ("conversations", "conversations"), ("texts", "texts to speak")):
        group.addoption(
            f"--voiceperf-{name}",
            dest=f"voiceperf_{name}_file",
            metavar="FILE",
            help=f"{what} to judge quality on (default: those that come with voiceperf)",
        )
    group.addoption(
        "--voiceperf-max-memory-mib",
        metavar="MIB",
        help="what the candidate's engines may take together (default: 768, and half as much again as their models)",
    )
    group.addoption(
        "--voiceperf-form",
        metavar="FORM",
        help="short: only a decisive FAIL is red; full: every criterion must PASS (default: short; under a gate, the"
        " accepted run's)",
    )
    group.addoption(
        "--voiceperf-gate",
        nargs="?",
        const="accepted",
        metavar="RUN",
        help="end with 10 if anything is slower or worse than the accepted run (or RUN), 11 if that cannot be told, "
        "12 if something was not measured",
    )
    group.addoption("--voiceperf-markdown", metavar="FILE", help="write what the gate says as Markdown too")
    for name, what in (
        ("voiceperf_call", "call file to replay"),
        ("voiceperf_manifest", "recordings with transcripts, for the quality gate"),
        ("voiceperf_conversations", "conversations, for the quality gate"),
    ):
        parser.addini(name, f"{what} (default: those that come with voiceperf)", type="paths", default=[])


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> Iterator[None]:
    """Take a short option that was typed, once every plugin and conftest has had the chance to own it."""
    yield
    _, unknown = parser.parse_known_and_unknown_args(args)
    for short, sets in _SHORT.items():
        if any(word.partition("=")[0] == short for word in unknown):
            parser.getgroup("voiceperf").addoption(short, dest=sets, help=f"--{sets.replace('_', '-')} for short")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "voiceperf_max_slowdown(share): no alarm before this benchmark is surely slower by more than that; 0.05 is 5%",
    )
    _add_whole_suite(config)
    if config.getoption("voiceperf_gate") is not None:
        from voiceperf.pytest_plugin import gate

        gate.begin(config)
    if any(config.getoption(name) is not None for name in _OURS):
        plan_of(config)  # what the user typed is checked before anything is collected


def _add_whole_suite(config: pytest.Config) -> None:
    """With a call on the command line and no tests named, the suite of the package joins the project's tests."""
    nothing_named = config.args_source is not pytest.Config.ArgsSource.ARGS
    if config.getoption("voiceperf_call") and nothing_named and not config.getini("voiceperf_call"):
        from importlib import resources

        config.args = [*config.args, str(resources.files(__name__).joinpath("whole_suite.py"))]


def plan_of(config: pytest.Config) -> Plan:
    """What the command line and the ini file ask for, read once."""
    from voiceperf.pytest_plugin import session

    return session.plan_of(config)


def why_not_measuring(config: pytest.Config) -> str | None:
    """Why this session cannot measure, or None. The fixture of all measuring tests then skips, with this reason."""
    if not config.pluginmanager.hasplugin("benchmark"):
        return "pytest-benchmark is switched off (-p no:benchmark)"
    if hasattr(config, "workerinput") or config.getoption("dist", "no") != "no":
        return "pytest-xdist runs tests beside each other (-n)"
    if config.getoption("benchmark_disable") and not config.getoption("benchmark_enable"):
        return "pytest-benchmark times nothing (--benchmark-disable)"
    return "pytest-benchmark skips benchmarks (--benchmark-skip)" if config.getoption("benchmark_skip") else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """`voiceperf_turn`, `voiceperf_profile`, `voiceperf_baseline` stand for each of the plan's, one test each."""
    wanted = [name for name in _PARAMETERS if name in metafunc.fixturenames]
    if wanted:
        from voiceperf.pytest_plugin import session

        for name in wanted:
            metafunc.parametrize(name, **session.values_of(name, metafunc.config))


@pytest.fixture(scope="session")
def voiceperf(pytestconfig: pytest.Config) -> Iterator[Suite]:
    """The session's suite: it measures what is asked of it, remembers every block, and judges criteria."""
    if why := why_not_measuring(pytestconfig):
        pytest.skip(f"voiceperf: {why}")
    from voiceperf.pytest_plugin import session

    yield from session.suite(pytestconfig)


@pytest.fixture
def _voiceperf_replay(voiceperf: Suite, request: pytest.FixtureRequest) -> Any:
    """The timer of a test's benchmark, named before pytest-benchmark makes the benchmark."""
    from voiceperf.pytest_plugin import session

    replay, own = session.Replay(), request.node.get_closest_marker("benchmark")
    options = {**(own.kwargs if own else {}), "timer": replay}
    request.node.add_marker(
        pytest.mark.benchmark(**options), append=False
    )  # before the test's own, whose place it takes
    return replay


@pytest.fixture
def voiceperf_duel(
    voiceperf: Suite, _voiceperf_replay: Any, benchmark: Any, request: pytest.FixtureRequest
) -> Callable[[str, str, Turn], None]:
    """Benchmark one workload of one turn under one profile, in blocks with every other profile and the control."""
    from voiceperf.pytest_plugin import session

    return session.Benchmarked(voiceperf, benchmark, _voiceperf_replay, request.node)


@pytest.fixture
def voiceperf_require(voiceperf: Suite) -> Callable[[Criterion], None]:
    """Hold a criterion to what the form demands: PASS in the full form, no decisive failure in the short one."""
    from functools import partial

    from voiceperf.pytest_plugin import session

    return partial(session.require, voiceperf)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("voiceperf_gate") is not None:
        from voiceperf.pytest_plugin import gate
        from voiceperf.pytest_plugin.session import this_run

        gate.finish(session, lambda: this_run(session.config))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if config.getoption("voiceperf_gate") is not None or config.stash.get(measured_here, False):
        from voiceperf.pytest_plugin import session

        session.summarise(terminalreporter, config)


measured_here = pytest.StashKey[bool]()
"""Whether this session has made a suite."""


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Name what the run is measured on; a comparison with a saved run asks before the first test."""
    has_call = config.getoption("voiceperf_call") or config.getini("voiceperf_call")
    if has_call or config.stash.get(measured_here, False):
        from voiceperf.pytest_plugin import session

        session.put_fingerprint(config, machine_info)


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_compare_machine_info(
    benchmarksession: Any, machine_info: dict[str, Any], compared_benchmark: dict[str, Any]
) -> None:
    """Say in one line whether the times of a saved run can be held beside this session's at all."""
    saved, now = compared_benchmark["machine_info"].get("voiceperf"), machine_info.get("voiceperf")
    if isinstance(saved, dict) and now:
        from voiceperf.pytest_plugin import session

        session.say_what_differs(benchmarksession.logger.warning, saved, now, compared_benchmark["benchmarks"])


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    if config.stash.get(measured_here, False):
        from voiceperf.pytest_plugin import session

        session.put_record(config, output_json)
