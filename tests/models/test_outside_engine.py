"""An engine by others: a package of its own adds it, and everything that voiceperf does takes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.models

FIXTURES = Path(__file__).parents[2] / "fixtures"
PROFILE = """
summary = "heard by another engine"
[roles]
hearing = "plain_whisper"
[plain_whisper]
model = "{model}"
[llama]
model = "smollm2-135m-instruct-q8_0"
"""


@pytest.fixture(scope="module")
def outside(tmp_path_factory, request):
    """A folder with two profiles that the engine plays in, and what runs a program there with its package installed."""
    folder = tmp_path_factory.mktemp("outside")
    package = request.config.rootpath / "tests" / "outside"
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(folder / "packages")]
    subprocess.run([sys.executable, "-m", "pip", *install, str(package)], check=True, capture_output=True)
    for name, model in (("mine", "whisper-base-q8_0"), ("plain", "whisper-base-f16")):
        (folder / f"{name}.toml").write_text(PROFILE.format(model=model))
    environment = {**os.environ, "PYTHONPATH": str(folder / "packages"), "VOICEPERF_DATA": str(folder / "data")}

    def run(program, *arguments, codes=(0,)):
        line = [str(Path(sys.executable).with_name(program)), *arguments]
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr
        assert done.returncode in codes, done.stdout + done.stderr
        return done

    run.folder = folder
    return run


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def test_it_hears(outside):
    """`transcribe` asks the engine that the profile names for the role."""
    speech = FIXTURES / "audio" / "flac" / "jfk_d001.flac"
    (heard,) = rows(outside("voiceperf", "transcribe", str(speech), "--profile", "mine.toml", "--json"))
    assert "ask not what your country can do for you" in heard["text"].lower().replace(",", "")


def test_doctor_and_parameters_list_it(outside):
    """What is installed is listed, whoever brought it."""
    assert "plain_whisper" in rows(outside("voiceperf", "doctor", "--json"))[0]["engines"]
    (declared,) = rows(outside("voiceperf", "parameters", "plain_whisper", "--json"))
    assert declared["parameters"]["audio_ctx"]["tries"] == [0, 768]


@pytest.mark.slow
def test_it_is_compared(outside):
    """`compare` measures it beside another engine of its role, and beside itself with another model, with quality."""
    for baseline in ("fair", "plain.toml"):
        sides = ("--baseline", baseline, "--candidate", "mine.toml")
        done = outside("voiceperf", "compare", "hearing", *sides, "--budget-s", "20", "--json", codes=(0, 10, 11))
        row, *_ = rows(done)
        assert row["what"] == "hearing"
        assert row["quality"].startswith("WER")
        assert len(row["launches_ns"][0]) == 3


@pytest.mark.slow
def test_its_quality_is_judged(outside, tmp_path):
    """`quality` hears a manifest by it."""
    lines = (FIXTURES / "audio" / "manifest.jsonl").read_text().splitlines()[::40]
    entries = [json.loads(line) for line in lines]
    manifest = tmp_path / "few.jsonl"
    for entry in entries:
        entry["file"] = str(FIXTURES / "audio" / entry["file"])
        del entry["use"]
    manifest.write_text("\n".join(map(json.dumps, entries)))
    command = ("quality", "--manifest", str(manifest), "--candidate", "mine.toml", "--json")
    (judged,) = rows(outside("voiceperf", *command, codes=(0, 10, 11, 12)))
    assert judged["candidate_wer"] < 0.5


def test_it_serves_in_a_call(outside):
    """`replay` starts its service beside the others', and every turn is answered."""
    done = outside("voiceperf", "replay", "--profile", "mine.toml", "--calls", "1", "--json")
    turns = [row for row in rows(done) if "turn" in row]
    assert len(turns) == 7
    assert not any(turn.get("error") for turn in turns)


@pytest.mark.slow
def test_it_is_tuned(outside):
    """`tune` searches its space, from its own baseline, and puts a profile in force in which it plays."""
    command = ("tune", "hearing", "--baseline", "plain.toml", "--budget", "90s", "--storage", "runs")
    outside("voiceperf", *command, codes=(0, 10))
    (kept,) = (outside.folder / "data" / "profiles").glob("*.toml")
    assert 'hearing = "plain_whisper"' in kept.read_text()


@pytest.mark.slow
def test_the_suite_judges_it(outside):
    """`pytest --voiceperf-candidate` replays the call with it, and has its criteria."""
    options = ("--voiceperf-call", str(FIXTURES / "calls" / "call61.toml"), "--voiceperf-candidate", "mine.toml")
    done = outside("pytest", *options, "-k", "test_criterion and hearing", "-p", "no:cacheprovider", codes=(0, 1))
    assert "hearing within a turn" in done.stdout
    assert "INVALID" not in done.stdout
