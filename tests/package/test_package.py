"""What a user installs: built, checked, put into an empty environment, and run there."""

import json
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes


def test_both_archives_would_be_taken_by_an_index(built):
    """Twine finds no fault with the metadata or the description."""
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *built], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_the_wheel_has_types_templates_and_recordings_with_their_licences(built):
    """What a type checker, the report and the gate need is inside."""
    names = zipfile.ZipFile(built[0]).namelist()
    for wanted in (
        "voiceperf/py.typed",
        "voiceperf/report/templates/report.html",
        "voiceperf/profiles/shipped.toml",
        "voiceperf/fixtures/calls/call61.toml",
        "voiceperf/fixtures/audio/manifest.jsonl",
        "voiceperf/fixtures/audio/LICENCES.md",
        "voiceperf/fixtures/voices/SOURCES.md",
    ):
        assert wanted in names
    assert [name for name in names if name.endswith((".pyc", ".so"))] == []


def test_metadata_is_whole(built):
    """An index shows what it is, who may use it, what it needs and where it is developed."""
    archive = zipfile.ZipFile(built[0])
    (path,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    facts = message_from_bytes(archive.read(path))
    for field in (
        "Name",
        "Version",
        "Summary",
        "License-Expression",
        "Requires-Python",
        "Keywords",
        "Description-Content-Type",
    ):
        assert facts[field]
    assert {"whisper", "llama", "kokoro", "call", "all"} <= set(facts.get_all("Provides-Extra"))


def test_the_source_archive_has_what_the_wheel_is_made_of(built):
    """Sources, recordings, licences and change log."""
    with tarfile.open(built[1]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "pyproject.toml",
        "LICENSE",
        "NOTICE",
        "CHANGELOG.md",
        "src/voiceperf/py.typed",
        "fixtures/calls/call61.toml",
    } <= names


def test_it_runs_in_an_empty_environment(run):
    """Without any engine the command starts, and the doctor says how to get each."""
    assert run("voiceperf", "--version").stdout.startswith("voiceperf ")
    facts = json.loads(run("voiceperf", "doctor", "--json").stdout)
    for engine in ("whisper", "llama", "kokoro"):
        assert f"pip install 'voiceperf[{engine}]'" in facts["engines"][engine][0]["remedy"]


def test_a_report_needs_no_engine(run, request):
    """A saved run is shown on any machine."""
    storage = request.config.rootpath / ".benchmarks"
    done = run("voiceperf", "report", "0005", "--storage", storage, "--json")
    assert json.loads(done.stdout)["verdict"] == "PASS", done.stderr


def test_the_shell_completes_commands(run):
    """Half a command's name and Tab give the rest."""
    done = run("voiceperf", _VOICEPERF_COMPLETE="complete_bash", COMP_WORDS="voiceperf rep", COMP_CWORD="1",
               _TYPER_COMPLETE_ARGS="voiceperf rep")  # fmt: skip
    assert {"replay", "reply", "report"} <= set(done.stdout.split())


def test_pytest_replays_a_call_in_an_empty_folder(run, request, tmp_path):
    """`pytest --call DIR` finds its suite in the package, and the recordings that quality is judged on."""
    shutil.copytree(request.config.rootpath / "fixtures/calls", tmp_path / "mine")
    (tmp_path / "mine" / "call61.toml").rename(tmp_path / "mine" / "call.toml")
    done = run("pytest", "--call", "mine", "--collect-only", "-q")
    assert "test_criterion[fair-hearing]" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
