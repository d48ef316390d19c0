"""The gate in whole sessions: real plugin, real pytest-benchmark and saved files; only the engines are numbers."""

import contextlib
import json
import re
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from voiceperf import load_call
from voiceperf.cli import main
from voiceperf.engines import names, params_class
from voiceperf.history.ledger import Calibration, write_noise
from voiceperf.judge.noise import Noise, Variance
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.clock import Timing
from voiceperf.measure.control import Control
from voiceperf.measure.resources import Resources
from voiceperf.pytest_plugin import gate
from voiceperf.pytest_plugin import session as plugin
from voiceperf.quality.gate import Quality
from voiceperf.suite.suite import Suite

SUITE = """
    import pytest

    @pytest.mark.parametrize("workload", ["hearing", "thinking"])
    def test_turn(voiceperf_duel, workload, voiceperf_turn, voiceperf_profile):
        voiceperf_duel(workload, voiceperf_profile, voiceperf_turn)

    @pytest.mark.parametrize("criterion", ["hearing_alone", "thinking"])
    def test_criterion(voiceperf, voiceperf_require, criterion, voiceperf_baseline):
        voiceperf_require(voiceperf.judge(criterion, voiceperf_baseline))
"""
for name in names():  # a session within the session must not be the first to load a native library: it unloads it
    params_class(name)
Control()  # likewise of NumPy
SERIES = [
    f"{workload}: shipped / {partner}"
    for workload in ("hearing", "thinking")
    for partner in ("seed", "fair", "control")
]
QUIET = Noise(Variance(0.0001, 40.0), Variance(0.0, 12.0), Variance(0.0001, 30.0))
EXIT = SimpleNamespace(good=0, failed=1, regressed=10, inconclusive=11, invalid=12)


class Numbers(Suite):
    """A suite whose engines answer with numbers: the baselines take 100 ms, the candidate 50 ms, the control 30 ms."""

    slowdown, spread, quality = 1.0, 0.01, Verdict.PASS

    def __init__(self, plan, step):
        super().__init__(plan, step)
        self._rng = np.random.default_rng(int(self.slowdown * 1000))
        self._control = SimpleNamespace(run=lambda: self._timing(30))
        corpus = SimpleNamespace(digest=lambda: "k1")
        self.gate = SimpleNamespace(judge=self._judge_quality, scores={}, perplexity=9.0, corpus=corpus)

    def _timing(self, wall_ms):
        return Timing(int(wall_ms * 1e6 * np.exp(self._rng.normal(0, self.spread))), 1)

    def _processes(self, workload):
        return contextlib.nullcontext(SimpleNamespace(run=self._run, account=lambda *who: Resources(1, 2, 3.0, 4)))

    def _run(self, profile, workload, turn):
        return self._timing(50 * self.slowdown if profile == "shipped" else 100)

    def _judge_quality(self, engine, baseline, candidate):
        return Quality(Finding(self.quality, "as planned"), "words")


@pytest.fixture
def session(pytester, request, monkeypatch):
    """Run the suite of numbers in an empty project, with slowdown, noise or quality planted."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # the session within measures, whoever runs this one
    fixtures = request.config.rootpath / "fixtures"
    pytester.makeini(f"[pytest]\naddopts = -p no:cacheprovider\nvoiceperf_call = {fixtures}/calls/call61.toml\n"
                     f"voiceperf_manifest = {fixtures}/audio/manifest.jsonl\n"
                     f"voiceperf_conversations = {fixtures}/text/conversations.toml\n")  # fmt: skip
    pytester.makepyfile(test_suite=SUITE)
    monkeypatch.setattr(plugin, "fingerprint", lambda contenders: {"id": "f1", "machine_id": "m1"})
    monkeypatch.setattr(gate, "machine_id", lambda: "m1")

    def run(*arguments, slowdown=1.0, spread=0.01, quality=Verdict.PASS):
        planted = {"slowdown": slowdown, "spread": spread, "quality": quality}
        monkeypatch.setattr(plugin, "Suite", type("Planted", (Numbers,), planted))
        return pytester.runpytest_inprocess("--benchmark-columns=median", *arguments)

    run.path, run.call = pytester.path, fixtures / "calls" / "call61.toml"
    run.runs = lambda: sorted((pytester.path / ".benchmarks").glob("*/0*.json"))
    return run


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Where the first test leaves its accepted run and calibration for the others to begin with."""
    return tmp_path_factory.mktemp("accepted") / ".benchmarks"


@pytest.fixture
def accepted(session, monkeypatch, first_run):
    """A project with an accepted run and a calibrated machine."""
    own = session.path / ".benchmarks"
    if first_run.exists():
        shutil.copytree(first_run, own)
        return session
    assert session("--benchmark-autosave").ret == EXIT.good
    accept(monkeypatch, "0001")
    calibrate(session, QUIET)
    shutil.copytree(own, first_run)
    return session


def calibrate(session, noise):
    call = load_call(session.call).digest()
    write_noise(session.path / ".benchmarks", {"machine_id": "m1"},
                Calibration("short", call, dict.fromkeys(SERIES, noise)), "today")  # fmt: skip


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["voiceperf", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def unwrapped(done):
    """What was printed, where a sentence may have been broken at the page's width."""
    return " ".join(done.stdout.str().split())


def accept(monkeypatch, run):
    monkeypatch.setattr("voiceperf.cli.history.machine_id", lambda: "m1")
    assert command(monkeypatch, "accept", run) == 0


def test_same_code_passes(accepted):
    """Nothing changed: exit 0, and the comparison is printed."""
    done = accepted("--voiceperf-gate")
    assert done.ret == EXIT.good
    done.stdout.fnmatch_lines(["*this session against 0001_*", "*thinking: shipped / fair*no alarm*"])
    assert "slower would have been seen 19 times in 20" in unwrapped(done)


def test_regression_has_an_exit_code_of_its_own(accepted):
    """A third more time ends with 10, not with pytest's 1, and names what became slower."""
    done = accepted("--voiceperf-gate", slowdown=1.3)
    assert done.ret == EXIT.regressed
    done.stdout.fnmatch_lines(["ALARM: hearing: shipped / fair: *where 3% counts as none"])


def test_regressed_run_does_not_become_the_reference(accepted):
    """Saved or not, a regressed run is not what the next one is held against: the same code fails again."""
    assert accepted("--voiceperf-gate", "--benchmark-autosave", slowdown=1.3).ret == EXIT.regressed
    assert len(accepted.runs()) == 2
    assert accepted("--voiceperf-gate", "--benchmark-autosave", slowdown=1.3).ret == EXIT.regressed


def test_compare_gives_the_gate_s_verdict(accepted, monkeypatch):
    """`voiceperf compare RUN RUN` on the saved files ends as the gate ended on the live session."""
    accepted("--voiceperf-gate", "--benchmark-autosave", slowdown=1.3)
    assert command(monkeypatch, "compare", "0001", "0002") == EXIT.regressed
    assert command(monkeypatch, "compare", "0001", "0001") == EXIT.good


def test_accepting_is_a_decision(accepted, monkeypatch):
    """Once a slower run is accepted, it is the reference."""
    accepted("--benchmark-autosave", slowdown=1.3)
    accept(monkeypatch, "0002")
    assert accepted("--voiceperf-gate", slowdown=1.3).ret == EXIT.good


def test_named_run_is_compared_with(accepted):
    """`--voiceperf-gate=RUN` compares with that run instead of the accepted one."""
    accepted("--benchmark-autosave", slowdown=1.3)
    assert accepted("--voiceperf-gate=0002", slowdown=1.3).ret == EXIT.good
    assert accepted("--voiceperf-gate=0009").ret == EXIT.invalid


def test_missing_benchmark_is_not_a_pass(accepted):
    """A benchmark that was deselected is named, and the session ends with 12."""
    done = accepted("--voiceperf-gate", "-k", "hearing")
    assert done.ret == EXIT.invalid
    done.stdout.fnmatch_lines(["INVALID: thinking: shipped / seed: *not measured in this one"])


def test_benchmark_missing_from_the_accepted_run_is_not_a_pass(accepted, monkeypatch):
    """A benchmark that the accepted run does not hold cannot have been compared."""
    accepted("--benchmark-autosave", "-k", "hearing")
    accept(monkeypatch, "0002")
    done = accepted("--voiceperf-gate")
    assert done.ret == EXIT.invalid
    done.stdout.fnmatch_lines(["INVALID: thinking: shipped / seed: not in the accepted run*"])


@pytest.mark.parametrize("option", ["--benchmark-disable", "--benchmark-skip", "--collect-only"])
def test_disabled_run_is_not_a_pass(accepted, option):
    """Where nothing would be timed, the gate ends at once with 12 and says by which option."""
    done = accepted("--voiceperf-gate", option)
    assert done.ret == EXIT.invalid
    done.stderr.fnmatch_lines([f"*{option}*nothing would be measured*"])


def test_distributed_run_is_not_a_pass(accepted):
    """Under pytest-xdist, pytest-benchmark times nothing; the gate does not pass for that."""
    done = accepted("--voiceperf-gate", "-n", "2")
    assert done.ret == EXIT.invalid
    done.stderr.fnmatch_lines(["*pytest-xdist*"])


def test_machine_without_accepted_run_is_not_a_pass(accepted, monkeypatch):
    """An unknown fingerprint ends with 12 before anything is measured, and says what to do."""
    monkeypatch.setattr(gate, "machine_id", lambda: "another")
    done = accepted("--voiceperf-gate")
    assert done.ret == EXIT.invalid
    done.stderr.fnmatch_lines(["*no run is accepted for this machine (another)*voiceperf accept"])


def test_run_of_another_machine_is_not_a_pass(accepted, monkeypatch):
    """A run that is named by hand but was measured elsewhere is not compared."""
    monkeypatch.setattr(plugin, "fingerprint", lambda contenders: {"id": "f2", "machine_id": "m2"})
    done = accepted("--voiceperf-gate=0001")
    assert done.ret == EXIT.invalid
    done.stdout.fnmatch_lines(["INVALID: *different machines*"])


def test_new_library_is_compared_and_named(accepted, monkeypatch):
    """An upgrade on the same machine is what the gate is for: it is judged, and the versions are said."""
    facts = {"id": "f2", "machine_id": "m1", "onnxruntime": "1.33"}
    monkeypatch.setattr(plugin, "fingerprint", lambda contenders: facts)
    done = accepted("--voiceperf-gate")
    assert done.ret == EXIT.good
    done.stdout.fnmatch_lines(["changed since: onnxruntime none -> 1.33"])


def test_a_machine_that_was_never_calibrated_has_an_alarm_too(accepted):
    """Without calibration a regression of half is an alarm, and unchanged code none; less would have been seen."""
    (accepted.path / ".benchmarks" / "noise.json").unlink()
    assert accepted("--voiceperf-gate").ret == EXIT.good
    assert accepted("--voiceperf-gate", slowdown=1.6).ret == EXIT.regressed


def test_noise_is_no_alarm(accepted):
    """Runs that scatter too much to tell raise none, and say how much would have been seen."""
    done = accepted("--voiceperf-gate", spread=0.3)
    assert done.ret == EXIT.good
    assert re.search(r"no alarm; .*slower would have been seen", unwrapped(done))


def test_lost_quality_figure_is_not_a_pass(accepted):
    """A session without the quality criteria of the accepted one is not as good, it is unknown."""
    done = accepted("--voiceperf-gate", "-k", "test_turn")
    assert done.ret == EXIT.invalid
    assert "a quality figure of the accepted run was not measured in this one" in unwrapped(done)


def test_worse_quality_at_equal_speed_is_a_regression(accepted):
    """Speed as before with a quality that fails ends with 10, though a test failed too."""
    done = accepted("--voiceperf-gate", quality=Verdict.FAIL)
    assert done.ret == EXIT.regressed
    done.stdout.fnmatch_lines(["ALARM: quality of *as planned"])


def test_failing_test_is_still_a_failure(accepted):
    """Where the gate passes and another test fails, pytest's own code stays."""
    accepted.path.joinpath("test_other.py").write_text("def test_other():\n    assert False\n")
    assert accepted("--voiceperf-gate").ret == EXIT.failed


def test_marker_sets_a_benchmark_s_threshold(accepted):
    """A marker lets a benchmark become a third slower, and only that one."""
    marked = SUITE.replace('"hearing", "thinking"])\n    def test_turn', 'pytest.param("hearing", marks='
                           'pytest.mark.voiceperf_max_slowdown(0.5)), "thinking"])\n    def test_turn')  # fmt: skip
    assert marked != SUITE
    accepted.path.joinpath("test_suite.py").write_text(marked.replace("\n    ", "\n"))
    done = accepted("--voiceperf-gate", slowdown=1.3)
    assert done.ret == EXIT.regressed
    done.stdout.fnmatch_lines(["*hearing: shipped / fair*no alarm*", "*thinking: shipped / fair*ALARM*"])


@pytest.mark.parametrize("marker", ["", "(0.0)", "('much')"])
def test_unusable_threshold_is_an_error(accepted, marker):
    """A marker without a share above zero fails the test before it measures."""
    accepted.path.joinpath("test_suite.py").write_text(
        f"import pytest\n@pytest.mark.voiceperf_max_slowdown{marker}\n"
        "def test_turn(voiceperf_duel, voiceperf_turn, voiceperf_profile):\n"
        "    voiceperf_duel('thinking', voiceperf_profile, voiceperf_turn)\n"
    )
    done = accepted()
    assert done.ret == EXIT.failed
    done.stdout.fnmatch_lines(["*voiceperf_max_slowdown takes one share above zero*"])


def test_existing_flags_keep_working(accepted):
    """pytest-benchmark's own comparison runs beside the gate and reads our files."""
    done = accepted("--voiceperf-gate", "--benchmark-compare=0001")
    assert done.ret == EXIT.good
    done.stderr.fnmatch_lines(["*Comparing against benchmarks from*0001_*"])
    done.stdout.fnmatch_lines(["*(NOW)*", "*(0001_*"])


def test_markdown_is_written(accepted):
    """The gate's words go into a file for a pull request."""
    accepted("--voiceperf-gate", "--voiceperf-markdown=gate.md", slowdown=1.3)
    text = (accepted.path / "gate.md").read_text()
    assert text.startswith("### voiceperf: ALARM, against `0001_")
    assert "| thinking: shipped / fair |" in text


def test_saved_run_holds_what_the_gate_reads(accepted):
    """Every pair, the partner, resource use, control and criteria are in pytest-benchmark's own JSON; no path is."""
    document = json.loads(accepted.runs()[0].read_text())
    extra = document["benchmarks"][0]["extra_info"]
    assert {"workload", "profile", "partner", "turn", "pairs_wall_ns", "usage", "subject"} <= set(extra)
    assert set(extra["usage"]) == {"cpu_s", "peak_rss_bytes", "involuntary_switches", "steal"}
    assert document["voiceperf"]["control_s"] == pytest.approx(0.03, rel=0.05)
    assert document["voiceperf"]["criteria"][0]["quality_verdict"] == "PASS"
    assert document["machine_info"]["voiceperf"]["machine_id"] == "m1"
    assert "PosixPath" not in accepted.runs()[0].read_text()


def test_empty_run_is_not_a_pass(accepted):
    """A variable that is not set does not switch the gate off."""
    done = accepted("--voiceperf-gate=")
    assert done.ret == EXIT.invalid
    done.stderr.fnmatch_lines(["*name of a run is empty*"])


def test_gate_takes_the_accepted_run_s_form(accepted, monkeypatch):
    """Only equal forms compare; the full form that was accepted is measured without asking for it."""
    accepted("--voiceperf-form=full", "--benchmark-autosave")
    accept(monkeypatch, "0002")
    assert accepted("--voiceperf-gate").ret == EXIT.good


def test_accept_without_a_run_takes_this_machine_s_latest(accepted, monkeypatch):
    """The newest run of here, though one of another machine is newer and has the higher number."""
    accepted("--benchmark-autosave")
    path = accepted.runs()[-1]
    foreign = json.loads(path.read_text())
    foreign["machine_info"]["voiceperf"]["machine_id"] = "elsewhere"
    foreign["datetime"] = "2999-01-01"
    path.with_name("0003_foreign.json").write_text(json.dumps(foreign))
    monkeypatch.setattr("voiceperf.cli.history.machine_id", lambda: "m1")
    assert command(monkeypatch, "accept") == EXIT.good
    assert json.loads((accepted.path / ".benchmarks" / "accepted.json").read_text())["m1"]["run"].endswith(path.name)


def test_a_number_alone_never_means_another_machine_s_run(accepted, monkeypatch, capsys):
    """Accepting it, or gating against it, needs its file's name."""
    monkeypatch.setattr("voiceperf.cli.history.machine_id", lambda: "another")
    monkeypatch.setattr(gate, "machine_id", lambda: "another")
    assert command(monkeypatch, "accept", "0001") == 2
    assert "0001: a run of another machine" in capsys.readouterr().err
    done = accepted("--voiceperf-gate=0001")
    assert done.ret == EXIT.invalid
    done.stderr.fnmatch_lines(["*0001: a run of another machine*"])


def test_damaged_noise_is_said_before_measuring(accepted):
    """A file that cannot be read ends the session at once, in one line, and stays as it is."""
    (accepted.path / ".benchmarks" / "noise.json").write_text("{")
    done = accepted("--voiceperf-gate")
    assert done.ret == EXIT.invalid
    done.stderr.fnmatch_lines(["*noise.json: *damaged*"])


def test_unwritable_markdown_is_said_before_measuring(accepted):
    """A folder that does not exist is named at once."""
    done = accepted("--voiceperf-gate", "--voiceperf-markdown=gone/gate.md")
    assert done.ret == EXIT.invalid
    done.stderr.fnmatch_lines(["*gone/gate.md*does not exist*"])


def test_storage_is_pytest_benchmark_s_own(accepted):
    """A folder given to pytest-benchmark is where the gate looks too."""
    (accepted.path / ".benchmarks").rename(accepted.path / "kept")
    assert accepted("--voiceperf-gate", "--benchmark-storage=kept").ret == EXIT.good
    assert accepted("--voiceperf-gate", "--benchmark-storage=file://kept").ret == EXIT.good
    assert accepted("--voiceperf-gate").ret == EXIT.invalid


def test_criteria_alone_are_judged(session):
    """With `-k criterion` no benchmark has run before, and the verdicts are there all the same."""
    done = session("-k", "criterion")
    assert done.ret == EXIT.good
    assert done.stdout.str().count("PASS") == 4


def test_order_of_tests_does_not_matter(session):
    """A plugin that runs criteria before benchmarks changes no verdict."""
    session.path.joinpath("conftest.py").write_text(
        "import pytest\n\n@pytest.hookimpl(trylast=True)\ndef pytest_collection_modifyitems(items):\n"
        "    items.reverse()\n"
    )
    done = session()
    assert done.ret == EXIT.good
    assert done.stdout.str().count("PASS") == 4


def test_a_session_that_judged_nothing_says_so(session):
    """Benchmarks alone are green, and nobody takes that for a verdict."""
    done = session("-k", "test_turn")
    assert done.ret == EXIT.good
    done.stdout.fnmatch_lines(["*no criterion was judged, so there is no verdict"])


def test_benchmark_only_is_no_verdict(session):
    """pytest-benchmark's own selection skips the criteria; the session says that nothing was judged."""
    done = session("--benchmark-only")
    assert done.ret == EXIT.good
    done.stdout.fnmatch_lines(["*no criterion was judged, so there is no verdict"])


def test_a_session_that_sees_the_shipped_profile_fail_names_the_remedy(session, monkeypatch):
    """Lost quality is said with the command that finds what holds; the test run itself changes no setting."""
    monkeypatch.setenv("VOICEPERF_DATA", str(session.path / "data"))
    done = session(quality=Verdict.FAIL)
    assert done.ret == EXIT.failed
    done.stdout.fnmatch_lines(["shipped does not hold on this machine; run: voiceperf settle*"])
    assert not (session.path / "data").exists()


def test_columns_of_pytest_benchmark_are_the_criteria_s_times(session):
    """What it saves of a benchmark is what the suite has measured, also where the test has options of its own."""
    (session.path / "test_suite.py").write_text(
        "import pytest\n"
        "@pytest.mark.benchmark(warmup=False)\n"
        "def test_turn(voiceperf_duel, voiceperf_turn, voiceperf_profile):\n"
        "    voiceperf_duel('thinking', voiceperf_profile, voiceperf_turn)\n"
    )
    session("--benchmark-autosave")
    (run,) = session.runs()
    for one in json.loads(run.read_text())["benchmarks"]:
        measured_s = [timing["wall_ms"] / 1e3 for timing in one["extra_info"]["subject"]]
        assert one["stats"]["rounds"] == len(measured_s)
        assert one["stats"]["median"] == pytest.approx(np.median(measured_s))
