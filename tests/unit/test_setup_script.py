"""`ci/setup.sh`: what it refuses before it does anything."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def refused(tmp_path):
    """Runs the script in a checkout without .venv, with no CUDA compiler to be found; its one line."""
    shutil.copytree(ROOT / "ci", tmp_path / "ci")
    for path in (*ROOT.glob("requirements*.lock"), ROOT / "pyproject.toml"):
        shutil.copy(path, tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "cat", "cksum", "dirname", "g++", "sed", "tr"):
        (tools / name).symlink_to(shutil.which(name))

    def run(**variables):
        done = subprocess.run(
            [tools / "bash", tmp_path / "ci" / "setup.sh"],
            env={**os.environ, "PATH": str(tools), "PYTHON": sys.executable, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert not (tmp_path / ".venv").exists()
        return done.stderr.strip()

    return run


def test_a_gpu_that_it_does_not_know_is_refused(refused, one_line):
    """The choice is named, and what it may be."""
    one_line(refused(VOICEPERF_GPU="rocm"), "VOICEPERF_GPU=rocm", "cuda")


def test_cuda_without_its_compiler_is_refused(refused, one_line):
    """Before minutes of building, with what to install."""
    one_line(refused(VOICEPERF_GPU="cuda"), "VOICEPERF_GPU=cuda", "nvcc")
