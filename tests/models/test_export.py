"""`voiceperf export`: what it prints is run by the very library that it is for."""

import os
import subprocess
import sys

import pytest
import soundfile

from voiceperf.places import fixtures_dir

pytestmark = pytest.mark.models

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


def test_a_program_that_there_is_not_lists_those_that_there_are(tmp_path):
    """The names to choose from, and exit code 2."""
    said = export(tmp_path, "--to", "ollama", codes=(2,)).stderr
    assert "pywhispercpp, llama-cpp-python, kokoro-onnx, env" in said
