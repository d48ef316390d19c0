"""The gate: a session beside the accepted run."""

import json
import re

import pytest
from tests.unit.pytest_plugin.sessions import EXIT, SUITE, accept, command, unwrapped

from voiceperf.judge.verdict import Verdict
from voiceperf.pytest_plugin import gate
from voiceperf.pytest_plugin import session as plugin


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
    done.stdout.fnmatch_lines(["INVALID: thinking: shipped / fair: *not measured in this one"])


def test_benchmark_missing_from_the_accepted_run_is_not_a_pass(accepted, monkeypatch):
    """A benchmark that the accepted run does not hold cannot have been compared."""
    accepted("--benchmark-autosave", "-k", "hearing")
    accept(monkeypatch, "0002")
    done = accepted("--voiceperf-gate")
    assert done.ret == EXIT.invalid
    done.stdout.fnmatch_lines(["INVALID: thinking: shipped / fair: not in the accepted run*"])


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
    assert set(extra["usage"]) == {"cpu_s", "peak_rss_bytes", "involuntary_switches", "steal", "kernels"}
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
