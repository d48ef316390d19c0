"""A good guest: pytest-benchmark's own tests end alike with voiceperf installed and without it."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def test_own_suite_of_pytest_benchmark_ends_alike(tmp_path):
    """Every test of its source distribution passes, fails or is skipped as in an environment without voiceperf."""
    script = Path(__file__).with_name("own_suite_of_pytest_benchmark.sh")
    version = importlib.metadata.version("pytest-benchmark")
    done = subprocess.run(
        ["bash", script, sys.executable, version, tmp_path], capture_output=True, text=True, check=False, timeout=3600
    )
    difference = tmp_path / "difference.txt"
    assert done.returncode == 0, (difference.read_text() if difference.exists() else "") + done.stderr
    assert "the same results" in done.stdout
