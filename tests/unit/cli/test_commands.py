"""The commands as a user types them, where no model is needed."""

import json
import os
import shlex
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from voiceperf.cli import main
from voiceperf.cli.app import Group
from voiceperf.engines import capabilities


@pytest.fixture
def voiceperf(tmp_path, monkeypatch, capsys):
    """Run a command line in an empty folder with an empty cache."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "empty-cache"))
    monkeypatch.setenv("VOICEPERF_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["voiceperf", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return SimpleNamespace(returncode=ended.value.code or 0, stdout=printed.out, stderr=printed.err)

    return run


def test_installed_command_starts():
    """The command is on the path of its environment."""
    done = subprocess.run([f"{sys.prefix}/bin/voiceperf", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("voiceperf ")


def test_version_is_one_line(voiceperf):
    """`--version` prints name and version."""
    assert voiceperf("--version").stdout.split()[0] == "voiceperf"


def test_help_is_wrapped_for_the_terminal(voiceperf, monkeypatch):
    """A paragraph of `--help` fills its lines, wherever the source happens to break them."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = voiceperf("tune", "--help").stdout.splitlines()
    paragraph = next(at for at, line in enumerate(lines) if "First every change alone" in line)
    assert all(len(line.rstrip()) > 60 for line in lines[paragraph : paragraph + 3])


def test_help_groups_commands_by_what_they_are_for(voiceperf):
    """From using the engines to setting them up, and every command is in a group."""
    text = voiceperf("--help").stdout
    panels = [line.strip("╭─╮ \n") for line in text.splitlines() if line.startswith("╭")]
    assert panels == ["Options", *Group]


def test_help_names_every_command(voiceperf):
    """`--help` lists what there is."""
    text = voiceperf("--help").stdout
    for command in (
        "doctor",
        "models",
        "transcribe",
        "reply",
        "speak",
        "bench",
        "quality",
        "compare",
        "accept",
        "history",
        "calibrate",
        "settle",
        "tune",
        "serve",
        "replay",
        "soak",
        "report",
        "call",
        "parameters",
    ):
        assert command in text


def test_doctor_tells_the_machine_and_what_is_missing(voiceperf):
    """With an empty cache the doctor names the missing models and stays healthy."""
    done = voiceperf("doctor", "--json")
    facts = json.loads(done.stdout)
    assert done.returncode == 0
    assert facts["cores"]["performance"] >= 1
    assert {"whisper", "llama", "kokoro", "openai_thinking", "wyoming_hearing"} <= set(facts["engines"])
    assert not any(facts["models"].values())
    assert all("voiceperf models pull" in row["text"] for row in facts["runs"].values())


def test_bench_is_pytest_on_the_suite_that_comes_along(voiceperf, tmp_path, monkeypatch):
    """In a project whose own settings would break it, it finds every test; what is asked for arrives."""
    started = []
    monkeypatch.setattr(os, "execv", lambda program, command: started.append(command) or sys.exit(0))
    voiceperf("bench", "--baseline", "fair", "--form", "short")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\naddopts = '--no-such-option'\n")
    done = subprocess.run([*started[0], "--collect-only", "-q"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "test_turn[turn_1-fair-hearing]" in done.stdout
    assert "test_criterion[fair-call]" in done.stdout
    assert "upstream" not in done.stdout
    assert voiceperf("bench", "--form", "long").returncode == 2


def test_bench_takes_a_projects_own_suite(voiceperf, monkeypatch):
    """Its files are run as the project has them set."""
    started = []
    monkeypatch.setattr(os, "execv", lambda program, command: started.append(command) or sys.exit(0))
    voiceperf("bench", "tests/perf", "--call", "mine")
    assert started[0][3] == "tests/perf"
    assert "--voiceperf-call=mine" in started[0]
    assert "-c" not in started[0]


def test_models_list_prints_one_object_a_model(voiceperf):
    """Each model comes with its size, licence and sources."""
    rows = [json.loads(line) for line in voiceperf("models", "list", "--json").stdout.splitlines()]
    assert {"whisper-base-f16", "kokoro-v1.0-int8"} <= {row["model"] for row in rows}
    assert all(row["bytes"] and row["licence"] and row["sources"] for row in rows)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("transcribe",), 2, "nothing to transcribe"),
        (("transcribe", "gone.wav"), 2, "no such file"),
        (("transcribe", "--manifest", "gone.jsonl"), 2, "no such manifest"),
        (("transcribe", "a.wav", "--profile", "gone"), 2, "no profile 'gone'"),
        (("transcribe", "a.wav", "--set", "n_thread=2"), 2, "did you mean 'n_threads'"),
        (("transcribe", "a.wav", "--set", "n_threads"), 2, "name=value"),
        (("reply", " "), 2, "no text to answer"),
        (("reply", "hello"), 3, "models pull"),
        (("speak", ""), 2, "no text to speak"),
        (("speak", "hi", "--set", "speed=9"), 2, "at most 2"),
        (("models", "pull", "gone"), 3, "no model 'gone'"),
        (("models", "verify", "af_heart"), 3, "models pull af_heart"),
        (("quality", "--manifest", "gone.jsonl"), 2, "no such manifest"),
        (("compare",), 2, "both sides are the same"),
        (("serve", "hearing", "--uri", "tcp://[::1"), 2, "write it as tcp://"),
        (("serve", "hearing", "--uri", "tcp://a..b:1"), 2, "write it as tcp://"),
        (("compare", "whisper", "gone"), 2, "no such run"),
        (("compare", "gone"), 2, "hearing, thinking, speaking, call, or two saved runs"),
        (("compare", "--baseline-rev", "gone"), 2, "not a git repository"),
        (("compare", "--baseline-python", "/nowhere/python"), 2, "/nowhere/python"),
        (("compare", "--baseline", "gone"), 2, "no profile 'gone'"),
        (("compare", "--baseline", "fair", "--call", "gone.toml"), 2, "no such call file"),
        (("compare", "--baseline", "fair", "whisper"), 3, "models pull"),
        (("compare", "--baseline-rev", ""), 2, "is a variable not set?"),
        (("compare", "0001", "0002", "--max-slowdown", "0.03"), 2, "for duels"),
        (("compare", "--baseline", "fair", "--markdown", "gone/a.md"), 2, "its folder does not exist"),
        (("accept", ""), 2, "name of a run is empty"),
        (("calibrate", "--candidate", "fair"), 2, "baseline's name"),
        (("accept", "0001"), 2, "no such run"),
        (("history",), 2, "voiceperf bench"),
        (("history", "llama"), 2, "of a benchmark like 'llama'"),
        (("history", "--export", "gone"), 2, "bencher, openmetrics"),
        (("history", "--bisect", "a..b"), 2, "--bisect takes one of hearing"),
        (("history", "hearing", "--bisect", "a"), 2, "as in GOOD..BAD"),
        (("calibrate", "--form", "gone"), 2, "short"),
        (("calibrate", "gone"), 2, "hearing"),
        (("calibrate",), 3, "models pull"),
        (("settle", "--profile", "gone"), 2, "no profile 'gone'"),
        (("settle",), 3, "models pull"),
        (("replay", "--barge-in", "--baseline", "fair"), 2, "do not go together"),
        (("replay", "--barge-in", "--concurrency", "1,2"), 2, "do not go together"),
        *((("replay", "--concurrency", text), 2, "as in 1,2,4,8") for text in ("", "0", "4,2", "2,2", "1,x", "101")),
        (("tune", "gone"), 2, "no role or engine 'gone'"),
        (("tune", "--prefer", "gone"), 2, "speed, balanced, quality"),
        (("tune", "--budget", "soon"), 2, "90s, 15m or 1h"),
        (("tune", "--budget", "0m"), 2, "90s, 15m or 1h"),
        (("tune",), 3, "models pull"),
    ],
)
def test_errors_are_one_line_with_a_defined_code(voiceperf, arguments, code, said):
    """Bad use ends with 2, a missing model with 3, each in one line that says what to do."""
    done = voiceperf(*arguments)
    assert done.returncode == code, done.stderr
    *progress, error = done.stderr.strip().splitlines()
    assert said in error
    assert not any(line.startswith("voiceperf:") for line in progress)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("compare", "--budget-s", "nan"), "--budget-s"),
        (("soak", "--minutes", "inf"), "no finite number"),
        (("replay", "--end-of-turn", "nan"), "--end-of-turn"),
        (("serve", "hearing", "--metrics-port", "99999"), "65535"),
    ],
)
def test_a_number_that_cannot_be_meant_is_refused(voiceperf, arguments, said):
    """Before anything is loaded."""
    done = voiceperf(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_parameter_without_its_means_is_left_out(voiceperf):
    """A GPU that this build has no code for is said in one line, and the work goes on without."""
    if next(able for able in capabilities("llama") if able.name == "GPU").available:
        pytest.skip("this build has a GPU")
    said = voiceperf("reply", "hello", "--set", "n_gpu_layers=4").stderr
    assert "llama.n_gpu_layers is left out: this build of llama.cpp has or sees no GPU; rebuild with" in said


@pytest.mark.parametrize("arguments", [("models", "list", "--json"), ("--version",)])
def test_a_closed_output_is_no_traceback(arguments):
    """A script that only asks for the exit code may close what it does not read."""
    command = shlex.join([f"{sys.prefix}/bin/voiceperf", *arguments])
    done = subprocess.run(f"{command} >&- 2>&-", shell=True, check=False)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [("transcribe", "a.wav", "--set", "initial_prompt=\udce9"), ("serve", "thinking", "--system", "caf\udce9")],
)
def test_a_text_in_another_encoding_is_one_line(voiceperf, tmp_path, arguments):
    """Wherever the command line takes a text, one that is not UTF-8 ends with 2 and the remedy."""
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 16000)
    done = voiceperf(*arguments)
    assert done.returncode == 2
    assert "is not UTF-8; convert it" in done.stderr.splitlines()[-1]


def test_settling_can_be_undone(voiceperf):
    """Without a profile of its own, there is nothing that this machine could leave."""
    assert "no profile of its own" in voiceperf("settle", "--leave").stderr


def test_voice_is_pulled_from_the_checkout_and_verified(voiceperf):
    """A pull from a local source ends in a verified file."""
    assert voiceperf("models", "pull", "af_heart").returncode == 0
    done = voiceperf("models", "verify", "af_heart", "--json")
    assert json.loads(done.stdout) == {"model": "af_heart", "ok": True, "problem": None}


def test_planted_model_file_is_refused(voiceperf, tmp_path):
    """A file that only has a model's name ends in one line and the engine's exit code."""
    (tmp_path / "bad.bin").write_bytes(b"not a model" * 100)
    soundfile.write(tmp_path / "a.wav", np.zeros(8000), 16000)
    done = voiceperf("transcribe", "a.wav", "--set", "model=bad.bin")
    assert done.returncode == 4
    assert len(done.stderr.strip().splitlines()) == 1
    assert "cannot load bad.bin" in done.stderr


def test_history_goes_on_past_a_damaged_file(voiceperf, request, tmp_path):
    """A damaged file is named on stderr; the good ones are listed, as a table, Markdown or JSON."""
    saved = min((request.config.rootpath / ".benchmarks").glob("*/0*.json"))
    folder = tmp_path / ".benchmarks" / "Linux"
    folder.mkdir(parents=True)
    (folder / saved.name).write_text(saved.read_text())
    (folder / "0002_damaged.json").write_text("{")
    done = voiceperf("history", "turn_1-shipped-llama", "--json")
    assert done.returncode == 0
    assert "0002_damaged.json: not valid JSON" in done.stderr
    assert json.loads(done.stdout)["runs"][0]["run"] == saved.name
    assert "| benchmark |" in voiceperf("history", "--markdown").stdout
    assert "test_turn[turn_1-shipped-llama]" in voiceperf("history", "turn_1-shipped-llama").stdout


@pytest.mark.parametrize("engine", ["whisper", "llama", "kokoro", "service"])
def test_parameters_are_listed_as_they_are_declared(voiceperf, engine):
    """Every parameter comes with its default, bounds and help."""
    row = json.loads(voiceperf("parameters", engine, "--json").stdout)
    assert row["engine"] == engine
    assert all({"default", "help", "low", "high", "tries"} <= set(one) for one in row["parameters"].values())


def test_parameters_of_nobody_are_refused(voiceperf):
    """An engine that does not exist is answered with those there are."""
    done = voiceperf("parameters", "parrot")
    assert done.returncode == 2
    assert "whisper, llama, kokoro, fake, " in done.stderr


def test_report_without_a_run_says_how_to_save_one(voiceperf):
    """In a folder without runs the remedy is named, and nothing is written."""
    done = voiceperf("report")
    assert done.returncode == 2
    assert "voiceperf bench" in done.stderr


def test_report_of_the_projects_own_run(voiceperf, tmp_path, request):
    """A saved run becomes a page, Markdown and a picture."""
    storage = request.config.rootpath / ".benchmarks"
    done = voiceperf("report", "0005", "--storage", storage, "--markdown", "r.md", "--picture", "r.png", "--json")
    assert json.loads(done.stdout)["verdict"] == "PASS"
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    assert (tmp_path / "r.md").read_text().startswith("### voiceperf: PASS")
    assert (tmp_path / "r.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--picture", "r.foo"), "ends in .png or .svg"),
        (("--picture", "gone/r.png"), "gone"),
        (("--out", "."), "is a folder"),
        (("--markdown", "gone/r.md"), "gone"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_is(voiceperf, tmp_path, request, arguments, named):
    """A target that is no file, in no folder or of no picture's kind: one line, and nothing half done."""
    done = voiceperf("report", "0005", "--storage", request.config.rootpath / ".benchmarks", *arguments)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert named in done.stderr
    assert not list(tmp_path.glob("*report*"))


def test_a_recording_of_silence_makes_no_call(voiceperf, tmp_path):
    """Where nobody speaks, nothing is written, and the recording is named."""
    soundfile.write(tmp_path / "quiet.wav", np.zeros(32_000, np.float32), 16_000)
    done = voiceperf("call", "new", "mine", "--from", "quiet.wav")
    assert done.returncode == 2
    assert "quiet.wav: no speech found" in done.stderr
    assert not (tmp_path / "mine").exists()
