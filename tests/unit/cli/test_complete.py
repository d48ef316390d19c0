"""What Tab gives beside commands and options, as a shell asks for it."""

import os
import subprocess
import sys

import pytest


def completed(line, folder):
    """What bash is given for the last word of a line."""
    asked = {"_VOICEPERF_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    script = "from voiceperf.cli import main; import sys; sys.argv[0] = 'voiceperf'; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | asked, capture_output=True, text=True, check=False, cwd=folder
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("voiceperf compare th", ["thinking"]),
        ("voiceperf compare --baseline s", ["seed", "shipped", "support.toml"]),
        ("voiceperf compare --set n_thr", ["n_threads=", "n_threads_batch="]),
        ("voiceperf models pull whisper-t", ["whisper-tiny.en-f16", "whisper-tiny.en-q8_0"]),
        ("voiceperf report 00", ["0001", "0002"]),
        ("voiceperf serve sp", ["speaking"]),
    ],
)
def test_names_that_voiceperf_knows_are_completed(tmp_path, line, found):
    """Profiles, parameters, models, roles and saved runs, those of the folder with them."""
    (tmp_path / "support.toml").touch()
    (tmp_path / ".benchmarks" / "Linux").mkdir(parents=True)
    for number in ("0001", "0002"):
        (tmp_path / ".benchmarks" / "Linux" / f"{number}_a.json").touch()
    assert completed(line, tmp_path) == found
