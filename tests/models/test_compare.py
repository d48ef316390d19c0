"""`voiceperf compare` as a user types it, on real engines: what is planted must be found."""

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import voiceperf

pytestmark = pytest.mark.models

SOURCE = Path(voiceperf.__file__).parent
SLOW_RUN = "    output = engine.run(request"
PLANTED = """    planted_end_ns = clock.wall_ns() + 100_000_000
    while clock.wall_ns() < planted_end_ns:
        pass
"""


def compare(*arguments, cwd=None):
    command = [f"{sys.prefix}/bin/voiceperf", "compare", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert rows, done.stderr
    return done.returncode, rows


def slower_source(folder):
    """A voiceperf whose every run takes a tenth of a second more."""
    shutil.copytree(SOURCE, folder / "voiceperf", ignore=shutil.ignore_patterns("__pycache__"))
    clock = folder / "voiceperf" / "measure" / "clock.py"
    assert clock.read_text().count(SLOW_RUN) == 1
    clock.write_text(clock.read_text().replace(SLOW_RUN, PLANTED + SLOW_RUN))
    return folder


@pytest.fixture
def slower_environment(tmp_path):
    """Another virtual environment that sees this one's packages, but a slower voiceperf before them."""
    venv.create(tmp_path / "venv", with_pip=False)
    python = tmp_path / "venv" / "bin" / "python"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = tmp_path / "venv" / "lib" / version / "site-packages"
    ours = Path(sys.prefix) / "lib" / version / "site-packages"
    (packages / "a.pth").write_text(f"{slower_source(tmp_path / 'slower')}\n{ours}\n")
    return python


@pytest.mark.slow
def test_slower_environment_is_found(slower_environment):
    """An upgrade that makes every run slower ends with 10, as every launch shows."""
    code, (row, *_) = compare("--candidate-python", slower_environment, "llama")
    assert code == 10
    assert (row["verdict"], row["change"]) == ("FAIL", "slower")
    assert len(row["launches_ns"]) >= 6
    assert all(one["candidate"]["usage"]["cpu_s"] > one["baseline"]["usage"]["cpu_s"] for one in row["spent"])


def commit(repository):
    """Make a folder's files the only revision of a new repository."""
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    for arguments in (["init", "--quiet"], ["add", "."], [*identity, "commit", "--quiet", "--message", "slower"]):
        subprocess.run(["git", *arguments], cwd=repository, check=True, capture_output=True)


@pytest.mark.slow
def test_slower_revision_is_found(tmp_path):
    """The same between two git revisions of voiceperf: the baseline that was slower makes this one faster."""
    slower_source(tmp_path / "src")
    commit(tmp_path)
    code, (row, *_) = compare("--baseline-rev", "HEAD", "whisper", cwd=tmp_path)
    assert (code, row["verdict"], row["change"]) == (0, "PASS", "faster")


@pytest.mark.slow
def test_slower_setting_of_a_revision_is_found(tmp_path):
    """A revision is measured under the profile that it ships, not under this checkout's."""
    shutil.copytree(SOURCE, tmp_path / "src" / "voiceperf", ignore=shutil.ignore_patterns("__pycache__"))
    profile = tmp_path / "src" / "voiceperf" / "profiles" / "shipped.toml"
    slower = profile.read_text().replace("audio_ctx = 512", "audio_ctx = 768").replace("silence_ctx = 768\n", "")
    assert slower != profile.read_text()
    profile.write_text(slower)
    commit(tmp_path)
    _, (row, *_) = compare("--baseline-rev", "HEAD", "whisper", cwd=tmp_path)
    assert row["change"] == "faster"


@pytest.mark.slow
def test_worse_model_is_found_though_it_is_no_slower(tmp_path):
    """Fewer bits make llama's replies worse and no slower: the quality decides, and the exit code is 10."""
    profile = tmp_path / "worse.toml"
    model = '[llama]\nmodel = "smollm2-135m-instruct-q4_0"\nflash_attn = true\n'
    profile.write_text(model + "[llama.linux]\nstatic_split = true\n")
    code, (row, *_) = compare("--baseline", "fair", "--candidate", profile, "llama")
    assert code == 10
    assert row["verdict"] == "FAIL"
    assert row["change"] != "slower"
    assert "KL" in row["reason"]


def gate(folder, *arguments):
    command = [f"{sys.prefix}/bin/voiceperf", *("gate", "HEAD", "--json"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_the_gate_finds_a_profile_that_has_become_slower(tmp_path, few_recordings):
    """A profile in a repository of somebody's own is held against itself as it was committed."""
    profile = tmp_path / "mine.toml"
    profile.write_text("[whisper]\nmodel = 'whisper-tiny.en-q8_0'\naudio_ctx = 512\n")
    commit(tmp_path)
    profile.write_text(profile.read_text().replace("512", "1280"))  # more than twice the work, on any machine
    code, (hearing, memory, start_up), said = gate(
        tmp_path, "--profile", "mine.toml", "--only", "hearing", "--manifest", few_recordings, "--budget-s", "60"
    )
    assert code == 10, said
    assert (hearing["verdict"], hearing["change"]) == ("FAIL", "slower")
    assert (memory["what"], start_up["what"]) == ("memory", "start-up")


@pytest.mark.slow
def test_the_revision_that_made_a_profile_slower_is_found(tmp_path):
    """Of seven commits of which the fifth makes hearing slower, `history --bisect` names the fifth."""
    profile = tmp_path / "mine.toml"
    for number, ctx in enumerate([512, 512, 512, 512, 768, 768, 768]):
        hearing = f"[whisper]\nmodel = 'whisper-base-q8_0'\nflash_attn = true\naudio_ctx = {ctx}\n"
        profile.write_text(f"summary = 'commit {number}'\n{hearing}")
        commit(tmp_path)
    asked = ("history", "hearing", "--bisect", "HEAD~6..HEAD", "--profile", "mine.toml", "--json")
    command = [f"{sys.prefix}/bin/voiceperf", *asked]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 10, done.stderr
    listed = ["git", "rev-list", "--reverse", "HEAD"]
    log = subprocess.run(listed, capture_output=True, text=True, check=True, cwd=tmp_path)
    found, commits = json.loads(done.stdout), log.stdout.split()
    assert (found["good"], found["bad"]) == (commits[3], commits[4])


def test_the_gate_says_how_to_make_another_environment(tmp_path, one_line):
    """Where a lock file has changed and nobody says how its environment is made, it is one line, before any work."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("voiceperf\n")
    commit(tmp_path)
    lock.write_text("voiceperf==0.1\n")
    code, rows, said = gate(tmp_path)
    assert (code, rows) == (2, [])
    one_line(said.splitlines()[-1], "requirements.txt", "--set-up")
