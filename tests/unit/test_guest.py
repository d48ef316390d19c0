"""The plugin in projects that never asked for it, and in sessions that cannot measure."""

import subprocess
import sys

import pytest


def test_the_plugin_imports_nothing_but_pytest():
    """A project that only has voiceperf installed pays for two small modules, and hears no warning."""
    program = "import pytest, sys; before = set(sys.modules); import voiceperf.pytest_plugin\n"
    program += "print(*sorted(set(sys.modules) - before))"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["voiceperf", "voiceperf.pytest_plugin"]


def test_a_session_without_a_measuring_test_loads_nothing_of_ours(pytester):
    """From the first hook to the last, no module but the plugin is imported."""
    pytester.makepyfile("def test_mine():\n    pass\n")
    pytester.makeconftest("""
        import sys

        def pytest_unconfigure(config):
            print("ours:", *sorted(name for name in sys.modules if name.startswith("voiceperf")))
    """)
    done = pytester.runpytest_subprocess("-s")
    done.stdout.fnmatch_lines(["ours: voiceperf voiceperf.pytest_plugin"])


def test_warnings_as_errors(pytester):
    """A project with `filterwarnings = error` starts, and its warnings are its own."""
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    pytester.makepyfile("def test_mine():\n    pass\n")
    pytester.runpytest_subprocess("-W", "error").assert_outcomes(passed=1, warnings=0)


def test_measuring_modules_import_without_a_warning():
    """Where warnings are errors, what measures can still be imported."""
    program = "import voiceperf.pytest_plugin.session, voiceperf.live.service, voiceperf.suite.suite"
    ran = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr == ""


@pytest.mark.parametrize("option", ["--call", "--candidate"])
@pytest.mark.parametrize("spelling", ["{}=mine", "{} mine"])
def test_a_project_s_own_option_wins(pytester, option, spelling):
    """A short option that a conftest has too is the conftest's; ours has a long name."""
    pytester.makeconftest(f"""
        def pytest_addoption(parser):
            parser.addoption("{option}", default="unset")
    """)
    pytester.makepyfile(f"""
        def test_mine(pytestconfig):
            assert pytestconfig.getoption("{option}") == "mine"
            assert pytestconfig.getoption("voiceperf_{option[2:]}") is None
    """)
    pytester.runpytest_subprocess(*spelling.format(option).split()).assert_outcomes(passed=1)


def test_an_unused_short_option_is_free_for_anyone(pytester):
    """Nothing of ours is called --call until somebody types it, so a plugin that comes late may have the name."""
    late = pytester.mkpydir("late")
    (late / "conftest.py").write_text("def pytest_addoption(parser):\n    parser.addoption('--call')\n")
    (late / "test_late.py").write_text("def test_mine():\n    pass\n")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_project_s_own_names_win(pytester):
    """Fixtures, parameters and markers that a project calls as we once did are the project's."""
    pytester.makeini("[pytest]\naddopts = --strict-markers\nmarkers =\n    models: mine\n    max_slowdown: mine\n")
    pytester.makepyfile("""
        import pytest

        @pytest.fixture
        def duel():
            return "mine"

        @pytest.fixture(params=[1, 2])
        def turn(request):
            return request.param

        @pytest.fixture
        def voiceperf():
            return "mine"

        def test_with_a_fixture_called_as_the_package(voiceperf):
            assert voiceperf == "mine"

        @pytest.mark.models
        @pytest.mark.max_slowdown
        @pytest.mark.parametrize("profile", ["a", "b"])
        def test_mine(duel, turn, profile):
            assert (duel, turn in (1, 2), profile in "ab") == ("mine", True, True)
    """)
    pytester.runpytest_subprocess("--benchmark-disable").assert_outcomes(passed=5, warnings=0)


def test_a_call_adds_the_suite_and_replaces_no_test(pytester, request):
    """With a call named, a project's own tests are collected as ever; the suite comes after them."""
    pytester.makepyfile("def test_mine():\n    pass\n")
    call = request.config.rootpath / "fixtures/calls/call61.toml"
    text = pytester.runpytest(f"--voiceperf-call={call}", "--collect-only", "-q").stdout.str()
    assert "::test_mine" in text
    assert "::test_criterion[" in text


MEASURING = """
    def test_turn(voiceperf_duel, voiceperf_turn):
        voiceperf_duel("whisper", "fair", voiceperf_turn)

    def test_criterion(voiceperf, voiceperf_require, voiceperf_baseline):
        voiceperf_require(voiceperf.judge("whisper", voiceperf_baseline))

    def test_other():
        pass
"""


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["-n", "2"], "pytest-xdist"),
        (["--benchmark-disable"], "--benchmark-disable"),
        (["--benchmark-skip"], "--benchmark-skip"),
        (["-p", "no:benchmark"], "-p no:benchmark"),
    ],
)
def test_a_session_that_cannot_measure_skips_and_says_why(pytester, options, why):
    """Whatever switches measuring off, each test that measures is skipped with that reason, and no other test is."""
    pytester.makepyfile(MEASURING)
    done = pytester.runpytest_subprocess("-rs", *options)
    done.assert_outcomes(passed=1, skipped=4)
    assert why in done.stdout.str()
