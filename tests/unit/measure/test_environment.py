import sys

import pytest

from voiceperf.errors import InputError
from voiceperf.measure.fingerprint import libraries_of


def test_own_environment_tells_its_libraries():
    """The running interpreter has voiceperf and NumPy in some version."""
    found = libraries_of(sys.executable, ["voiceperf", "numpy"])
    assert found["voiceperf"]
    assert found["numpy"]


def test_environment_without_voiceperf_is_refused(tmp_path, one_line):
    """An interpreter that lacks voiceperf is named, with the command that installs it."""
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(InputError) as caught:
        libraries_of(str(bare), ["voiceperf"])
    one_line(caught.value, str(bare), "pip install voiceperf")


def test_an_environment_is_asked_as_its_processes_are_started(tmp_path, monkeypatch, one_line):
    """What PYTHONPATH adds counts, unless a side's processes go without it, as those of another interpreter do."""
    python, added = tmp_path / "python", tmp_path / "added" / "voiceperf-9.dist-info"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    python.chmod(0o755)
    added.mkdir(parents=True)
    (added / "METADATA").write_text("Metadata-Version: 2.1\nName: voiceperf\nVersion: 9\n")
    monkeypatch.setenv("PYTHONPATH", str(added.parent))
    assert libraries_of(str(python), ["voiceperf"]) == {"voiceperf": "9"}
    with pytest.raises(InputError) as caught:
        libraries_of(str(python), ["voiceperf"], {"PYTHONPATH": ""})
    one_line(caught.value, "pip install voiceperf")


def test_missing_interpreter_is_refused(one_line):
    """A path without an interpreter is named."""
    with pytest.raises(InputError) as caught:
        libraries_of("/nowhere/python", ["voiceperf"])
    one_line(caught.value, "/nowhere/python")
