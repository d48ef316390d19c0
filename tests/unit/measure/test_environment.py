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


def test_missing_interpreter_is_refused(one_line):
    """A path without an interpreter is named."""
    with pytest.raises(InputError) as caught:
        libraries_of("/nowhere/python", ["voiceperf"])
    one_line(caught.value, "/nowhere/python")
