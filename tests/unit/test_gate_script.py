"""ci/gate.sh and `make gate`, with stand-ins for what they start: only the exit codes matter here."""

import shutil
import subprocess

import pytest


@pytest.fixture
def checkout(tmp_path, request):
    """A folder with the real script and Makefile; `.venv` holds stand-ins that end with a chosen code."""
    root = request.config.rootpath
    (tmp_path / "ci").mkdir()
    shutil.copy(root / "ci" / "gate.sh", tmp_path / "ci")
    shutil.copy(root / "Makefile", tmp_path)
    (tmp_path / "ci" / "setup.sh").write_text("exit 0\n")
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)

    def prepare(code):
        command = binaries / "voiceperf"
        command.write_text(f'#!/bin/sh\ncase $1 in gate) echo "$@" >called; exit {code};; esac\n')
        command.chmod(0o755)
        return tmp_path

    return prepare


def run(folder, *command):
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("code", [0, 1, 10, 11, 12])
def test_script_ends_with_the_gate_s_code(checkout, code):
    """What the gate says comes out of the script, though make sets it up."""
    folder = checkout(code)
    assert run(folder, "bash", "ci/gate.sh").returncode == code
    assert (folder / "called").read_text() == "gate --markdown build/gate/report.md\n"


def test_code_survives_make(checkout):
    """Make itself can only say 2; the gate's code is on its last line and in a file."""
    folder = checkout(10)
    done = run(folder, "make", "gate")
    assert done.returncode == 2
    assert "Error 10" in done.stderr
    assert (folder / "build" / "gate" / "exit-code").read_text() == "10\n"


def test_revision_and_options_are_handed_on(checkout):
    """What stands behind the script's name is the gate's."""
    folder = checkout(11)
    assert run(folder, "bash", "ci/gate.sh", "main", "--only", "thinking").returncode == 11
    assert (folder / "called").read_text().strip().endswith("main --only thinking")


def test_old_answer_does_not_stand_for_a_new_one(checkout):
    """A set-up that fails leaves no code of an earlier gate behind."""
    folder = checkout(0)
    run(folder, "bash", "ci/gate.sh")
    (folder / "ci" / "setup.sh").write_text("exit 1\n")
    assert run(folder, "bash", "ci/gate.sh").returncode == 1
    assert not (folder / "build" / "gate" / "exit-code").exists()
