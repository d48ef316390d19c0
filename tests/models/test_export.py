"""`voiceperf export`: what it prints is run by the very library that it is for."""

import json
import os
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import soundfile

from voiceperf.places import fixtures_dir

pytestmark = pytest.mark.models

ROOT = Path(__file__).parents[2]
SPEECH = fixtures_dir() / "audio" / "flac" / "jfk_d001.flac"
UPSTREAM = """
[whisper]
model = "whisper-base-q8_0"
flash_attn = true
audio_ctx = 768
no_timestamps = true
[llama]
model = "smollm2-135m-instruct-q8_0"
flash_attn = true
temperature = 0.0
max_tokens = 24
[kokoro]
intra_op_threads = 1
spinning = false
"""


def export(folder, *arguments, codes=(0,)):
    line = [f"{sys.prefix}/bin/voiceperf", "export", *arguments]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode in codes, done.stderr
    return done


@pytest.fixture
def ran(tmp_path):
    """(program) -> what its own library prints, given the settings; the sound that is heard lies beside."""
    (tmp_path / "mine.toml").write_text(UPSTREAM)
    audio, rate_hz = soundfile.read(SPEECH)
    soundfile.write(tmp_path / "speech.wav", audio, rate_hz)

    def run(program):
        code = export(tmp_path, "mine.toml", "--to", program).stdout
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run.folder = tmp_path
    return run


def test_pywhispercpp_takes_it(ran):
    """The code hears what was said."""
    assert "ask not what your country can do for you" in ran("pywhispercpp").lower().replace(",", "")


def test_llama_cpp_python_takes_it(ran):
    """The code answers."""
    assert len(ran("llama-cpp-python").split()) > 5


def test_kokoro_onnx_takes_it(ran):
    """The code speaks."""
    ran("kokoro-onnx")
    audio, rate_hz = soundfile.read(ran.folder / "speech.wav")
    assert (rate_hz, 0.5 < len(audio) / rate_hz < 3) == (24_000, True)


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """(name) -> a folder that has this program, built from the sources of our packages."""
    if not (shutil.which("cmake") and shutil.which("ninja")):
        pytest.skip("building it needs cmake and ninja")
    folder = tmp_path_factory.mktemp("programs")

    def built(name):
        script = ROOT / "tests" / "peers" / "build_program.sh"
        subprocess.run([script, sys.executable, folder, name], check=True, timeout=1500)
        return folder

    return built


def in_shell(ran, programs, name, more=""):
    """The command line as it is printed, with some words behind it, for a shell that finds the program."""
    path = f"{programs(name)}:{os.environ['PATH']}"
    command = export(ran.folder, "mine.toml", "--to", name).stdout.rstrip() + more
    return {"args": ["sh", "-c", f"exec {command}"], "cwd": ran.folder, "env": {**os.environ, "PATH": path}}


@pytest.mark.slow
def test_whisper_cli_takes_it(ran, programs):
    """whisper.cpp's own program, with these flags, hears what was said."""
    done = subprocess.run(**in_shell(ran, programs, "whisper-cli"), capture_output=True, text=True, check=True)
    assert "ask not what your country can do for you" in done.stdout.lower().replace(",", "")
    assert "unknown argument" not in done.stderr


@pytest.mark.slow
def test_llama_server_takes_it(ran, programs):
    """llama.cpp's own server, with these flags, comes up and answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(**in_shell(ran, programs, "llama-server", f" --port {port}"))
    try:
        asked = {"messages": [{"role": "user", "content": "When do you open?"}]}
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/v1/chat/completions",
            json.dumps(asked).encode(),
            {"Content-Type": "application/json"},
        )
        until = time.monotonic() + 60
        while True:
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    said = json.load(answer)
                break
            except OSError:  # it is not up yet, or loads its model
                assert server.poll() is None
                assert time.monotonic() < until
                time.sleep(0.2)
    finally:
        server.kill()
        server.wait()
    assert len(said["choices"][0]["message"]["content"].split()) > 5
    assert said["usage"]["completion_tokens"] <= 24


@pytest.mark.parametrize(
    ("program", "flags"),
    [
        (
            "llama-server",
            ["--flash-attn on", "--temperature 0.0", "--predict 24", "--ctx-size 1024", "--load-mode mmap"],
        ),
        ("whisper-cli", ["--audio-ctx 768", "--flash-attn", "--no-timestamps", "--no-gpu", "--language en"]),
    ],
)
def test_command_lines_have_the_settings(tmp_path, program, flags):
    """Each setting that the program knows is one of its flags, and the shell reads them as one command."""
    (tmp_path / "mine.toml").write_text(UPSTREAM)
    line = export(tmp_path, "mine.toml", "--to", program).stdout
    words = shlex.split(line.replace("\\\n", " "))
    assert words[0] == program
    for flag in flags:
        name, *value = flag.split()
        assert words[words.index(name) + 1 :][: len(value)] == value


def test_what_only_voiceperf_has_is_said(tmp_path):
    """Of the shipped profile the second try at hearing, and the environment that has the kernels."""
    said = export(tmp_path, "--to", "pywhispercpp").stderr
    assert "only in voiceperf: whisper.retry_ctx = 1024" in said
    assert "voiceperf export shipped --to env" in said


def test_the_environment_can_be_read_by_a_shell(tmp_path):
    """Each line is an assignment or a comment."""
    script = export(tmp_path, "--to", "env").stdout + 'printf %s "$GOMP_SPINCOUNT"'
    done = subprocess.run(
        ["sh", "-euc", script], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]}
    )
    assert done.stdout in {"3000", "10000"}


def test_the_environment_keeps_what_the_user_preloads(tmp_path):
    """What is printed adds to the user's lists, and makes them where there are none."""
    (tmp_path / "mine.toml").write_text("[llama]\nuse_mmap = false\nhuge_pages = true\n")
    script = export(tmp_path, "mine.toml", "--to", "env").stdout + 'printf %s "$GLIBC_TUNABLES"'
    found = []
    for own in ({}, {"GLIBC_TUNABLES": "glibc.malloc.arena_max=2"}):
        environment = {"PATH": os.environ["PATH"], **own}
        done = subprocess.run(["sh", "-euc", script], capture_output=True, text=True, check=True, env=environment)
        found.append(done.stdout)
    assert found == ["glibc.malloc.hugetlb=1", "glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1"]


def test_a_program_that_there_is_not_lists_those_that_there_are(tmp_path):
    """The names to choose from, and exit code 2."""
    said = export(tmp_path, "--to", "ollama", codes=(2,)).stderr
    assert "pywhispercpp, whisper-cli, llama-cpp-python, llama-server, kokoro-onnx, env" in said
