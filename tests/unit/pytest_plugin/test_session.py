"""A session of the suite: what is judged, what is saved, and with what it is started."""

import json

import numpy as np
import pytest
from tests.unit.pytest_plugin import sessions
from tests.unit.pytest_plugin.sessions import EXIT, Numbers

from voiceperf.engines.base import Speech
from voiceperf.errors import InputError, ModelError, ParameterError
from voiceperf.history.runs import read_run
from voiceperf.judge.verdict import Verdict
from voiceperf.measure.control import NOMINAL_S
from voiceperf.pytest_plugin import session as plugin
from voiceperf.quality import examples


def test_criteria_alone_are_judged(session):
    """With `-k criterion` no benchmark has run before, and the verdicts are there all the same."""
    done = session("-k", "criterion")
    assert done.ret == EXIT.good
    assert done.stdout.str().count("PASS") == 2


def test_order_of_tests_does_not_matter(session):
    """A plugin that runs criteria before benchmarks changes no verdict."""
    session.path.joinpath("conftest.py").write_text(
        "import pytest\n\n@pytest.hookimpl(trylast=True)\ndef pytest_collection_modifyitems(items):\n"
        "    items.reverse()\n"
    )
    done = session()
    assert done.ret == EXIT.good
    assert done.stdout.str().count("PASS") == 2


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


def test_columns_of_pytest_benchmark_are_the_criteria_s_times_over_the_control(session):
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
        assert one["stats"]["median"] == pytest.approx(np.median(measured_s) / 0.030 * NOMINAL_S, rel=0.02)
        assert one["group"].endswith("normalised by the control")


def test_a_machine_in_a_slow_hour_has_the_same_columns(session, monkeypatch):
    """Where engines and control both take twice as long, the columns stay; a history shows the doubled seconds."""
    session("--benchmark-autosave")
    normal = sessions.Numbers._timing
    monkeypatch.setattr(sessions.Numbers, "_timing", lambda suite, wall_ms: normal(suite, 2 * wall_ms))
    session("--benchmark-autosave")
    fast, slow = (read_run(path) for path in session.runs())
    columns = [
        [one["stats"]["median"] for one in json.loads(path.read_text())["benchmarks"]] for path in session.runs()
    ]
    assert columns[1] == pytest.approx(columns[0], rel=0.03)
    assert [one.median_s for one in slow.benchmarks] == pytest.approx(
        [2 * one.median_s for one in fast.benchmarks], rel=0.03
    )


def test_a_comparison_with_seconds_by_the_clock_is_reported(session, recwarn):
    """A run saved before has other columns, which pytest-benchmark would put beside these: one line says so."""

    def said():
        recwarn.clear()
        session("--benchmark-compare=0001")
        return [str(one.message) for one in recwarn if "seconds by the clock" in str(one.message)]

    session("--benchmark-autosave")
    assert said() == []
    (run,) = session.runs()
    document = json.loads(run.read_text())
    for one in document["benchmarks"]:
        del one["extra_info"]["control_nominal_s"]
    run.write_text(json.dumps(document))
    assert len(said()) == 1


def test_other_baselines_and_changes_are_asked_for_on_the_command_line(session):
    """Each baseline that is named has its tests and no other one runs; the candidate has the value that is set."""
    seen = session("--voiceperf-baseline=seed", "--voiceperf-set=thinking.n_threads=1", "-k", "criterion")
    assert seen.ret == EXIT.good
    assert seen.stdout.str().count("PASS") == 2
    assert "fair" not in seen.stdout.str()


def test_a_baseline_can_be_the_candidate_where_others_are_left(session):
    """In the full form `upstream` is held against the other two."""
    full = ("--voiceperf-form=full", "--voiceperf-candidate=upstream")
    seen = session(*full, "-k", "criterion", "--collect-only", "-q").stdout.str()
    assert seen.count("[seed-") == seen.count("[fair-") > 0
    assert "[upstream-" not in seen


def test_the_project_s_table_is_what_a_session_has_where_nothing_is_typed(session):
    """`[tool.voiceperf] baselines`; the command line counts for more."""
    (session.path / "pyproject.toml").write_text('[tool.voiceperf]\nbaselines = ["seed"]\n')
    assert "fair" not in session("-k", "criterion").stdout.str()
    assert "seed" not in session("-k", "criterion", "--voiceperf-baseline=fair").stdout.str()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--voiceperf-set=n_threads=1"], "write hearing.n_threads=1"),
        (["--voiceperf-baseline=gone"], "no profile 'gone'"),
        (["--voiceperf-baseline=fair", "--voiceperf-baseline=fair"], "two of one name"),
        (["--voiceperf-baseline=shipped"], "that is a baseline's name"),
    ],
)
def test_options_that_cannot_be_meant_end_the_session_in_one_line(session, options, said):
    """Before anything is collected, as pytest ends for its own options."""
    done = session(*options)
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    assert said in done.stderr.str()


def test_a_profile_of_the_interpreter_is_taken_beside(session):
    """pytest-benchmark calls what it times once more for `--benchmark-cprofile`, and every test is as without."""
    assert session("--benchmark-cprofile=cumtime").ret == EXIT.good


def test_a_run_is_saved_where_it_is_asked_though_sounds_cannot_be_kept(session, monkeypatch):
    """A storage that cannot be written takes nothing from the JSON that is written elsewhere."""

    def refuse(*_):
        raise InputError("no space left")

    monkeypatch.setattr(plugin.sounds, "keep", refuse)
    spoken = Speech(np.zeros(9, np.float32), 24_000, 0.1, 0.1)
    monkeypatch.setattr(examples.Examples, "__init__", lambda self: vars(self).update(texts={}, sounds={"a": spoken}))
    done = session("--benchmark-json=out.json")
    assert done.ret == EXIT.good
    assert json.loads((session.path / "out.json").read_text())["voiceperf"]["criteria"]


def test_a_server_s_key_that_is_missing_at_the_end_loses_no_run(session, monkeypatch):
    """What is measured is saved, without the facts that cannot be had."""

    def refuse(_):
        raise ParameterError("no such variable is set")

    monkeypatch.setattr(plugin, "fingerprint", refuse)
    done = session("--benchmark-json=out.json")
    assert done.ret == EXIT.good
    assert "voiceperf" not in json.loads((session.path / "out.json").read_text())["machine_info"]


def test_a_missing_model_is_one_line_for_a_criterion_too(session, monkeypatch):
    """It is INVALID with the remedy, and no traceback."""

    def lacks(*_):
        raise ModelError("it is not there; run: voiceperf models pull it")

    monkeypatch.setattr(Numbers, "_processes", lacks)
    done = session("-k", "criterion")
    assert done.ret == EXIT.failed
    assert "models pull it" in done.stdout.str()
    assert "Traceback" not in done.stdout.str()
    assert "def " not in done.stdout.str()


@pytest.mark.parametrize("option", ["--voiceperf-call", "--voiceperf-candidate", "--voiceperf-gate"])
def test_a_name_that_no_file_can_have_ends_the_session_in_one_line(session, option):
    """However long it is."""
    done = session(f"{option}={'x' * 300}.toml")
    assert "INTERNALERROR" not in done.stdout.str() + done.stderr.str()
    assert done.ret in (pytest.ExitCode.USAGE_ERROR, EXIT.invalid)
