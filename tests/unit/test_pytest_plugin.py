"""The plugin in sessions of its own, where no model is needed."""

import shutil

import pytest

SUITE = """
    import pytest

    def test_plan(pytestconfig):
        from voiceperf.pytest_plugin import plan_of
        plan = plan_of(pytestconfig)
        assert plan.candidate.name == "shipped"

    def test_turn(voiceperf, voiceperf_turn):
        assert voiceperf_turn in voiceperf.turns
"""


@pytest.fixture
def session(pytester, request):
    fixtures = request.config.rootpath / "fixtures"
    pytester.makeini(f"[pytest]\nvoiceperf_call = {fixtures}/calls/call61.toml\n"
                     f"voiceperf_manifest = {fixtures}/audio/manifest.jsonl\n"
                     f"voiceperf_conversations = {fixtures}/text/conversations.toml\n")  # fmt: skip
    pytester.makepyfile(SUITE)
    return pytester


def test_short_form_takes_three_turns(session):
    """By default the first, the middle and the last turn are measured."""
    session.runpytest("-v").assert_outcomes(passed=4)


def test_full_form_takes_every_turn(session):
    """The full form measures all seven."""
    session.runpytest("--voiceperf-form=full").assert_outcomes(passed=8)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('name = "x"', "needs at least one"),
        ("[[turn]]\nchunk = 'a.wav'", "does not exist"),
        (None, "no such call file"),
    ],
)
def test_broken_call_file_is_a_usage_error(session, content, said):
    """A call file that cannot be read ends the session in one line with pytest's code for bad use."""
    if content is not None:
        (session.path / "mine.toml").write_text(content)
    done = session.runpytest("--call=mine.toml")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines([f"*mine.toml*{said}*"])


def test_tests_of_others_are_left_alone(pytester):
    """In a project without a call, arguments and fixtures of the same names stay the project's own."""
    pytester.makepyfile("""
        import pytest

        @pytest.mark.parametrize("profile", ["a", "b"])
        def test_mine(profile):
            assert profile

        @pytest.fixture
        def turn():
            return 1

        def test_turn(turn):
            assert turn == 1
    """)
    pytester.runpytest().assert_outcomes(passed=3)


def test_a_call_in_an_empty_folder_is_replayed_by_the_suite_of_the_package(pytester, request):
    """`pytest --call DIR` needs no test of the user's own; every benchmark and criterion is there."""
    shutil.copytree(request.config.rootpath / "fixtures/calls", pytester.path / "mine")
    (pytester.path / "mine" / "call61.toml").rename(pytester.path / "mine" / "call.toml")
    done = pytester.runpytest("--call", "mine", "--collect-only", "-q")
    text = done.stdout.str()
    assert text.count("::test_turn[") == 3 * 2 * 5
    assert "test_criterion[fair-hearing]" in text
    assert "test_own_criterion[stability]" in text


def test_a_project_with_tests_named_runs_those(session):
    """Where tests are named, the suite of the package does not push itself in."""
    (named,) = session.path.glob("test_*.py")
    done = session.runpytest(named.name, "--call", session.path / "gone.toml", "--collect-only")
    assert "whole_suite" not in done.stdout.str()
    assert done.ret == pytest.ExitCode.USAGE_ERROR


def test_a_gate_of_five_lines(pytester, request):
    """A project's own gate needs a call, two fixtures and a criterion; recordings and conversations come along."""
    pytester.makeini(f"[pytest]\nvoiceperf_call = {request.config.rootpath}/fixtures/calls/call61.toml\n")
    pytester.makepyfile("""
        def test_hearing(voiceperf_duel, voiceperf_turn, voiceperf_profile):
            voiceperf_duel("whisper", voiceperf_profile, voiceperf_turn)

        def test_hears_faster_and_no_worse(voiceperf, voiceperf_require, voiceperf_baseline):
            voiceperf_require(voiceperf.judge("whisper", voiceperf_baseline))
    """)
    text = pytester.runpytest("--collect-only", "-q").stdout.str()
    assert text.count("::test_hearing[") == 6
    assert text.count("::test_hears_faster_and_no_worse[") == 1


def test_baseline_cannot_be_its_own_candidate(session):
    """A candidate under a baseline's name would be compared with itself, and is refused."""
    done = session.runpytest("--candidate=fair")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*candidate fair*baseline*"])


def test_unknown_candidate_is_a_usage_error(session):
    """A profile that does not exist is answered with those there are."""
    done = session.runpytest("--candidate=gone")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*no profile 'gone'*shipped*"])
