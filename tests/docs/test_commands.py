"""Every command line that README and docs show is one that voiceperf, pytest, make or the shell takes."""

import re
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer

from voiceperf.cli import app

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / ".benchmarks" / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
RUN_BY = {  # where each command is started for real
    "accept": "tests/unit/pytest_plugin/sessions.py",
    "bench": "tests/models/test_commands.py",
    "calibrate": "tests/unit/cli/test_calibrate.py",
    "call": "tests/models/test_newcall.py",
    "compare": "tests/models/test_commands.py",
    "doctor": "tests/unit/cli/test_commands.py",
    "export": "tests/models/test_export.py",
    "gate": "tests/models/test_compare.py",
    "history": "tests/unit/cli/test_commands.py",
    "models": "tests/models/test_commands.py",
    "parameters": "tests/unit/cli/test_commands.py",
    "profile": "tests/unit/cli/test_profile.py",
    "quality": "tests/models/test_commands.py",
    "replay": "tests/models/test_commands.py",
    "reply": "tests/models/test_commands.py",
    "report": "tests/unit/cli/test_commands.py",
    "serve": "tests/models/test_live.py",
    "settle": "tests/models/test_commands.py",
    "soak": "tests/models/test_commands.py",
    "speak": "tests/models/test_commands.py",
    "transcribe": "tests/models/test_commands.py",
    "tune": "tests/models/test_tune.py",
}


def shown():
    """Each command line of a shell block, without its comment, by page."""
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words:
                    yield pytest.param(words, id=f"{page.relative_to(ROOT)}: {' '.join(words)[:70]}")


def of(program):
    return [one for one in shown() if Path(one.values[0][0]).name == program]


def every_command(group):
    for command in group.commands.values():
        yield from every_command(command) if hasattr(command, "commands") else (command,)


def parsed(words):
    """Let the application read a command line without doing what it says."""
    group = typer.main.get_command(app)
    for command in every_command(group):
        command.callback = lambda **read: None
    group.main(list(words), standalone_mode=False)


@pytest.mark.parametrize("words", of("voiceperf"))
def test_voiceperf_takes_it(words):
    """The command exists, and so does each of its options."""
    for command in words[1].split("|"):  # as in whisper|llama|kokoro
        parsed([command, *(word.split("|")[0] for word in words[2:])])


def test_every_command_is_started_by_a_test():
    """Each command that is shown is run for real somewhere, and the map says where."""
    commands = {command for one in of("voiceperf") for command in one.values[0][1].split("|")}
    assert commands <= set(RUN_BY)
    for command in commands:
        assert f'"{command}"' in (ROOT / RUN_BY[command]).read_text(), command


@pytest.mark.parametrize("words", of("make"))
def test_make_knows_the_target(words):
    """A dry run finds every target."""
    done = subprocess.run(["make", "--dry-run", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("words", of("pytest"))
def test_pytest_takes_its_options(words):
    """pytest, its benchmark plugin and ours know every option."""
    known = subprocess.run(
        [ROOT / ".venv/bin/pytest", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for word in words[1:]:
        if word.startswith("--"):
            assert word.partition("=")[0] in known, word
        elif word.startswith("tests/"):
            assert (ROOT / word).exists()


@pytest.mark.parametrize("words", of("pip"))
def test_pip_would_find_the_extra(words):
    """What is to be installed of voiceperf is declared."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for named in re.findall(r"voiceperf\[([^]]+)\]", " ".join(words)):
        assert set(named.split(",")) <= set(extras)


def test_nothing_else_is_shown():
    """What no test here looks at is a script of the repository, or a plain command of the shell."""
    looked_at = {"voiceperf", "make", "pytest", "pip"}
    others = {one.values[0][0] for one in shown() if Path(one.values[0][0]).name not in looked_at}
    assert others <= {
        "ci/gate.sh",
        "VOICEPERF_GPU=cuda",
        "export",
        "unset",
        ".",
        ".venv/bin/pytest-benchmark",
        ".venv/bin/python",
        "perf",
    }
