"""Servers by others, as their own documentation starts them, each a process on a port of its own."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from voiceperf import places
from voiceperf.models.catalogue import ctranslate2_files
from voiceperf.models.sources import Errand
from voiceperf.models.store import file_sha256, locate, pull

FOLDER = Path(__file__).parent
START_S = 120
VOICE = "en_US-joe-medium"


@pytest.fixture(scope="session")
def environment():
    """The interpreter of an environment with the servers, made once for each list of requirements."""
    wanted = FOLDER / "requirements.txt"
    home = places.cache_dir() / "servers" / file_sha256(wanted)[:12]
    python = home / "bin" / "python"
    if not (home / "ready").exists():
        shutil.rmtree(home, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted]
        subprocess.run(install, check=True)
        (home / "ready").touch()
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    ours = Path(sys.prefix) / "lib" / version / "site-packages"
    (home / "lib" / version / "site-packages" / "zz_ours.pth").write_text(f"{ours}\n")
    return python


@pytest.fixture(scope="session")
def whisper_folder():
    """Whisper base as faster-whisper reads it."""
    folder = places.cache_dir() / "servers" / "whisper-base"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        errand = Errand(lambda title, done, total: None, part.parent / "downloads", pull)
        for name, source in ctranslate2_files().items():
            source.fetch(part / name, errand)
        part.rename(folder)
    return folder


@contextlib.contextmanager
def process(command, log, port):
    """A server, once it listens; it is killed in the end."""
    with log.open("wb") as out:
        started = subprocess.Popen(
            list(map(str, command)),
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env=os.environ | {"HF_HUB_OFFLINE": "1"},
        )
    try:
        end = time.monotonic() + START_S
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            assert started.poll() is None, log.read_text()[-2000:]
            assert time.monotonic() < end, log.read_text()[-2000:]
            time.sleep(0.2)
        yield started
    finally:
        started.kill()
        started.wait()


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="module")
def llama_server(environment, logs):
    """(model, api_key) -> a running llama_cpp.server, and its address."""

    @contextlib.contextmanager
    def start(model="smollm2-135m-instruct-q8_0", api_key=""):
        port = free_port()
        command = [environment, "-m", "llama_cpp.server", "--model", locate(model), "--model_alias", model]
        command += ["--port", port, "--n_ctx", 2048, "--verbose", "false"]
        command += ["--api_key", api_key] if api_key else []
        with process(command, logs / f"llama-{port}.log", port) as server:
            yield f"http://127.0.0.1:{port}/v1", server

    return start


@pytest.fixture(scope="module")
def whisper_server(environment, logs, whisper_folder):
    """The address of a faster-whisper-server, which transcribes by OpenAI's API."""
    port = free_port()
    config = logs / "whisper.yaml"
    config.write_text(
        f"models:\n  - name: whisper-1\n    path: {whisper_folder}\n    device: cpu\n    compute_type: int8\n"
    )
    command = [environment, "-m", "faster_whisper_server", "--config", config, "--host", "127.0.0.1", "--port", port]
    with process(command, logs / "whisper.log", port):
        yield f"http://127.0.0.1:{port}/v1"


@pytest.fixture(scope="module")
def hearing_service(environment, logs, whisper_folder):
    """The address of a wyoming-faster-whisper."""
    port = free_port()
    command = [environment.with_name("wyoming-faster-whisper"), "--uri", f"tcp://127.0.0.1:{port}"]
    command += ["--model", whisper_folder, "--data-dir", logs, "--language", "en", "--local-files-only"]
    with process(command, logs / "hearing.log", port):
        yield f"tcp://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def speaking_service(environment, logs):
    """The address of a wyoming-piper."""
    (voice,) = environment.parents[1].glob(f"lib/python*/site-packages/*/data/{VOICE}.onnx")
    for file in voice.parent.glob(f"{VOICE}.*"):
        shutil.copy(file, logs)
    port = free_port()
    command = [environment.with_name("wyoming-piper"), "--voice", VOICE, "--uri", f"tcp://127.0.0.1:{port}"]
    command += ["--data-dir", logs, "--local-files-only"]
    with process(command, logs / "speaking.log", port):
        yield f"tcp://127.0.0.1:{port}"
