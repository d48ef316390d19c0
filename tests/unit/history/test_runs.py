import json

import pytest

from voiceperf.errors import InputError
from voiceperf.history.formerly import FORMAT, bar_of
from voiceperf.history.runs import find_run, parse_run, read_all, read_run
from voiceperf.judge.criteria import BARS
from voiceperf.judge.verdict import Verdict

# as pytest-benchmark 4.0.0 wrote them: `param` and `params` are null, there is no voiceperf
FOUR = {
    "machine_info": {"node": "laptop", "cpu": {"brand_raw": "CPU"}},
    "commit_info": {"id": "abc", "dirty": True},
    "benchmarks": [
        {
            "group": None,
            "name": "test_a",
            "fullname": "tests/test_a.py::test_a",
            "params": None,
            "param": None,
            "extra_info": {},
            "stats": {"min": 0.1, "median": 0.2},
        }
    ],
    "datetime": "2023-01-02T03:04:05",
    "version": "4.0.0",
}


def saved(folder, name, document):
    path = folder / "Linux-CPython-3.11-64bit" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def benchmark(workload="thinking", profile="fair", partner="shipped", turn=1, pairs=((2e8, 1e8),), **extra):
    info = {"workload": workload, "profile": profile, "partner": partner, "turn": turn, "pairs_wall_ns": pairs, **extra}
    name = f"test_turn[turn_{turn}-{profile}-{workload}]"
    return {"name": name, "fullname": f"t.py::{name}", "stats": {"median": 0.2}, "extra_info": info}


def test_files_of_version_4_are_read(tmp_path):
    """A run without anything of voiceperf's has its times, commit and date."""
    run = read_run(saved(tmp_path, "0001_abc.json", FOUR))
    assert (run.commit, run.dirty, run.date) == ("abc", True, "2023-01-02T03:04:05")
    assert run.benchmarks[0].median_s == 0.2
    assert (run.machine_id, run.control_s, run.data.series) == (None, None, {})


def test_our_own_history_is_read(request):
    """Every run that is committed with the project can be read."""
    runs, problems = read_all(request.config.rootpath / ".benchmarks")
    assert runs
    assert problems == []


def test_turns_make_one_series():
    """Benchmarks that differ only in the turn are one series; its times are reference first, candidate second.

    The strictest threshold among them is the series' own.
    """
    document = {**FOUR, "benchmarks": [benchmark(turn=1), benchmark(turn=2, pairs=[(4e8, 1e8)], max_slowdown=0.05)]}
    series = parse_run(document, "x").data.series
    assert list(series) == ["thinking: shipped / fair"]
    assert series["thinking: shipped / fair"].times == {1: [(2e8, 1e8)], 2: [(4e8, 1e8)]}
    assert series["thinking: shipped / fair"].max_slowdown == 0.05


def test_candidate_is_held_against_the_control():
    """The candidate's own benchmark is the numerator, the control the denominator."""
    document = {**FOUR, "benchmarks": [benchmark(profile="shipped", partner="control", pairs=[(3e8, 1e7)])]}
    assert parse_run(document, "x").data.series["thinking: shipped / control"].times == {1: [(1e7, 3e8)]}


def test_quality_is_read_back():
    """Criteria and heard utterances come out as the judge needs them."""
    quality = {"quality_verdict": "FAIL", "quality_reason": "KLD 0.3"}
    criterion = {"criterion": "c", "baseline": "fair", "verdict": "FAIL", "reason": "KLD 0.3", **quality}
    score = {"speaker": "s", "errors": 1, "words": 5, "empty": False, "loop": False}
    record = {"criteria": [criterion], "heard": {"hearing": {"u": score}}}
    data = parse_run({**FOUR, "voiceperf": record}, "x").data
    assert data.criteria["c against fair"].verdict is Verdict.FAIL
    assert data.heard["hearing"]["u"].heard.errors == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "damaged"),
        ('{"benchmarks": [', "damaged"),
        ("[]", "not a run"),
        ("{}", "benchmarks"),
        ('{"benchmarks": [{"name": "a"}]}', "fullname"),
        ('{"benchmarks": [{"name": "a", "fullname": "a", "stats": {}}]}', "median"),
        ('{"benchmarks": [{"name": "a", "fullname": "a", "stats": {"median": "x"}}]}', "x"),
        (json.dumps({**FOUR, "benchmarks": [benchmark(pairs=[[0, 1]])]}), "a time is not above zero"),
        (json.dumps({**FOUR, "benchmarks": [benchmark(pairs=[3])]}), "not a run"),
        (json.dumps({**FOUR, "voiceperf": {"criteria": [{"quality_verdict": "GOOD"}]}}), "not a run"),
        (json.dumps({**FOUR, "voiceperf": {"heard": {"hearing": {"u": {"errors": 1}}}}}), "speaker"),
    ],
)
def test_damaged_file_is_named_and_left_as_it_is(tmp_path, one_line, content, said):
    """A file that cannot be read is named with the reason, and the others are read all the same."""
    path = saved(tmp_path, "0002_bad.json", content)
    saved(tmp_path, "0001_abc.json", FOUR)
    runs, problems = read_all(tmp_path)
    assert len(runs) == 1
    one_line(problems[0], "0002_bad.json", said)
    assert path.read_text() == content


def test_run_is_found_by_its_number(tmp_path, one_line):
    """A number that one file begins with names it; an unknown or ambiguous one is refused."""
    path = saved(tmp_path, "0001_abc.json", FOUR)
    assert find_run(tmp_path, "0001") == path
    assert find_run(tmp_path, str(path)) == path
    with pytest.raises(InputError) as caught:
        find_run(tmp_path, "0009")
    one_line(caught.value, "voiceperf history")
    saved(tmp_path, "0001_other.json", FOUR)
    with pytest.raises(InputError, match="2 runs"):
        find_run(tmp_path, "0001")


def test_runs_come_in_the_order_of_their_dates(tmp_path):
    """Files are numbered by each machine for itself; the date decides."""
    saved(tmp_path, "0001_new.json", {**FOUR, "datetime": "2026-01-01"})
    saved(tmp_path, "0002_old.json", {**FOUR, "datetime": "2024-01-01"})
    assert [run.source for run in read_all(tmp_path)[0]] == ["0002_old.json", "0001_new.json"]


def test_runs_of_before_name_their_criteria_by_title():
    """A key and the title that older runs have are the same criterion; what is neither is none."""
    assert bar_of("thinking") is bar_of("llama: time of a 32-token reply") is BARS["thinking"]
    assert bar_of("whisper: inference time of the chunks") is BARS["hearing_alone"]
    assert bar_of("a title of nobody's") is None


def test_runs_of_before_name_roles_by_engine():
    """A workload, an utterance's scores and a benchmark's name of an older run are found under the role."""
    document = {"benchmarks": [benchmark("llama_cold")], "voiceperf": {"heard": {"whisper": {}}}}
    run = parse_run(document, "0001")
    assert list(run.data.series) == ["thinking_cold: shipped / fair"]
    assert list(run.data.heard) == ["hearing"]
    assert run.benchmarks[0].name == "test_turn[turn_1-fair-thinking_cold]"


def test_runs_of_before_name_the_shipped_profile_as_it_was_called():
    """Its times, stages, examples and benchmarks are found under today's name."""
    by_profile = {"fair": {"text": "yes"}, "tuned": {"text": "yet"}}
    record = {
        "candidate": "tuned",
        "stages_ms": {"tuned": {"1": []}},
        "examples": {"whisper": {"a.wav": {"reference": "yes", "by_profile": by_profile}}},
    }
    run = parse_run({"benchmarks": [benchmark("llama", "tuned", "control")], "voiceperf": record}, "0001")
    assert list(run.data.series) == ["thinking: shipped / control"]
    assert run.benchmarks[0].name == "test_turn[turn_1-shipped-thinking]"
    assert (run.record["candidate"], list(run.record["stages_ms"])) == ("shipped", ["shipped"])
    assert list(run.record["examples"]["hearing"]["a.wav"]["by_profile"]) == ["fair", "shipped"]


def test_a_profile_of_somebodys_own_keeps_its_name():
    """What is saved today under a former name of a shipped profile is somebody's own."""
    record = {"format": FORMAT, "candidate": "tuned"}
    run = parse_run({"benchmarks": [benchmark("thinking", "tuned", "control")], "voiceperf": record}, "0001")
    assert list(run.data.series) == ["thinking: tuned / control"]
    assert run.record["candidate"] == "tuned"
