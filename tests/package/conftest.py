import os
import subprocess
import sys

import pytest


@pytest.fixture(scope="session")
def built(request, tmp_path_factory):
    """The source archive, and the wheel made of it."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder, request.config.rootpath], check=True, capture_output=True
    )
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


@pytest.fixture(scope="session")
def installed(built, tmp_path_factory):
    """An empty environment with the wheel and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet", "install", built[0]]
    subprocess.run(pip, check=True, capture_output=True)
    return folder / "bin"


@pytest.fixture
def run(installed, tmp_path):
    """A command of that environment, in an empty folder."""
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON", "VOICEPERF"))
    }

    def start(command, *arguments, **variables):
        places = {"VOICEPERF_CACHE": tmp_path / "cache", "VOICEPERF_DATA": tmp_path / "data", "CI": ""}
        environment = {**clean, **{name: str(value) for name, value in (places | variables).items()}}
        line = [installed / command, *map(str, arguments)]
        return subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return start
