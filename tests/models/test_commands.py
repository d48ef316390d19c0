"""The commands of the README on real engines, as a user types them, each in its shortest form."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import tomli_w

pytestmark = pytest.mark.models

ROOT = Path(__file__).parents[2]
CALLS = ROOT / "fixtures" / "calls"
CLIP = ROOT / "fixtures" / "audio" / "flac" / "ami_d001.flac"


@pytest.fixture
def voiceperf(tmp_path):
    """Run a command in an empty folder; its objects."""

    def run(*arguments, ends_with=(0,)):
        script = "from voiceperf.cli import main; main()"
        command = [sys.executable, "-c", script, *map(str, arguments)]
        environment = {**os.environ, "VOICEPERF_DATA": str(tmp_path / "data")}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=500
        )
        assert done.returncode in ends_with, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    return run


@pytest.fixture
def short_call(tmp_path):
    """The first two turns of Call 61."""
    facts = tomllib.loads((CALLS / "call61.toml").read_text())
    turns = [{**turn, "chunk": str(CALLS / turn["chunk"])} for turn in facts["turn"][:2]]
    path = tmp_path / "short.toml"
    path.write_text(tomli_w.dumps({**facts, "turn": turns}))
    return path


def test_bench_measures_and_saves_a_run(voiceperf, tmp_path, monkeypatch):
    """Anywhere, without a checkout: the tests that are chosen run on the engines, and the run lies in this folder."""
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k 'test_turn and turn_1 and speaking'")
    voiceperf("bench", "--form", "short")
    (saved,) = (tmp_path / ".benchmarks").rglob("0001_*.json")
    names = {benchmark["name"] for benchmark in json.loads(saved.read_text())["benchmarks"]}
    assert names == {"test_turn[turn_1-fair-speaking]", "test_turn[turn_1-shipped-speaking]"}
    assert {path.name for path in tmp_path.iterdir()} <= {".benchmarks", "data"}


def test_transcribe_hears_a_file(voiceperf):
    """A recording's words are printed, with how long it took."""
    (heard,) = voiceperf("transcribe", CLIP, "--json")
    assert "abbie" in heard["text"].lower() or "abby" in heard["text"].lower()
    assert heard["wall_ms"] > 0


def test_reply_answers(voiceperf):
    """A caller's words get an answer."""
    (answered,) = voiceperf("reply", "Do you have a table?", "--json")
    assert answered["text"].strip()


def test_speak_writes_a_sound(voiceperf, tmp_path):
    """A text becomes a file of about its length."""
    voiceperf("speak", "Good evening.", "--out", "hello.wav")
    assert (tmp_path / "hello.wav").stat().st_size > 24_000


def test_models_verify(voiceperf):
    """Every model here is the one that is meant."""
    assert all(row["ok"] for row in voiceperf("models", "verify", "--json"))


def test_quality_judges_two_profiles(voiceperf, few_recordings):
    """Some thirty recordings are heard by both settings, and the candidate is judged."""
    sides = ("--baseline", "fair", "--candidate", "shipped")
    (found,) = voiceperf("quality", "--manifest", few_recordings, *sides, "--json", ends_with=(0, 11))
    assert (found["role"], found["utterances"]) == ("hearing", len(few_recordings.read_text().splitlines()))


def test_quality_judges_the_roles_that_are_asked_for(voiceperf, tmp_path):
    """Texts alone have only the speaking judged; a worse model of the same tokens is worse, and says by what."""
    (tmp_path / "lines.txt").write_text("Your table is booked.\n")
    (spoken,) = voiceperf("quality", "--texts", "lines.txt", "--baseline", "shipped", "--json")
    assert (spoken["role"], spoken["verdict"]) == ("speaking", "PASS")
    worse = ("--baseline", "shipped", "--set", "model=smollm2-135m-instruct-q4_0")
    (thought,) = voiceperf("quality", "thinking", *worse, "--json", ends_with=(10,))
    assert "KL" in thought["reason"]


@pytest.mark.slow
def test_compare_finds_the_faster_profile(voiceperf):
    """Tuned beside fair: faster, and no worse."""
    row, *_ = voiceperf("compare", "--baseline", "fair", "--candidate", "shipped", "llama", "--json")
    assert (row["verdict"], row["change"]) == ("PASS", "faster")


@pytest.mark.slow
def test_replay_step_by_step(voiceperf, short_call):
    """A call through services of both profiles, and with one engine changed at a time: each adds its part."""
    sides = ("--baseline", "fair", "--candidate", "shipped", "--step-by-step")
    rows = voiceperf("replay", "--call", short_call, "--calls", "1", *sides, "--json")
    steps = [f"fair, {role} of shipped" for role in ("hearing", "thinking", "speaking")]
    assert {row["services"] for row in rows} == {"fair", *steps, "shipped"}
    assert rows[-1]["services"] == "shipped"
    assert rows[-1]["ratio"]["estimate"] < 1


@pytest.mark.slow
def test_soak(voiceperf):
    """Services under load for some seconds: nothing fails, and nothing changes."""
    # memory grows in the first seconds; half an hour is what bounds it
    (found,) = voiceperf("soak", "--minutes", "0.3", "--concurrency", "2", "--json", ends_with=(0, 10))
    assert (found["errors"], found["changed"]) == (0, 0)


@pytest.mark.slow
def test_settle_keeps_what_holds(voiceperf, tmp_path):
    """The shipped profile is put on trial, and what holds is kept."""
    voiceperf("settle")
    assert list((tmp_path / "data" / "profiles").glob("*.toml"))
