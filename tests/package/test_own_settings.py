"""From a wheel to a verdict about one's own model, as docs/howto/own-settings.md says."""

import json
import os
import subprocess
import sys
import time

import pytest

from voiceperf.models.store import locate
from voiceperf.places import cache_dir

LIMIT_S = 180
MODEL = "smollm2-135m-instruct-q8_0"


@pytest.mark.slow
@pytest.mark.models
def test_a_verdict_about_ones_own_model_takes_two_commands_and_three_minutes(built, tmp_path):
    """In an empty folder, with the wheel and its extra: one thread less of a model of one's own is judged in time."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "PYTHON"))}
    here = [f"--find-links={folder}" for folder in (cache_dir() / "wheels").iterdir()]  # what pip would build again
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    programs = tmp_path / "env" / "bin"
    pip = [programs / "python", "-m", "pip", "--quiet", "install", f"{built[0]}[llama]", *here]
    subprocess.run(pip, check=True, capture_output=True)
    (tmp_path / "mine.gguf").symlink_to(locate(MODEL))
    (tmp_path / "mine.toml").write_text('[llama]\nmodel = "mine.gguf"\nn_threads = 2\n')
    asked = ["compare", "--baseline", "mine.toml", "--set", "thinking.n_threads=1", "--json"]
    begun_s = time.monotonic()
    done = subprocess.run(
        [programs / "voiceperf", *asked], cwd=tmp_path, env=clean, capture_output=True, text=True, check=False
    )
    assert time.monotonic() - begun_s < LIMIT_S
    (row,) = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, row["what"], row["verdict"]) == (10, "thinking", "FAIL"), done.stderr
    assert row["change"] == "slower"
    assert "KLD" in row["quality"]
