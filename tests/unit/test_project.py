"""What a project's pyproject.toml says holds for every command and for pytest."""

import importlib
import sys

import pytest

from voiceperf import project
from voiceperf.cli import main
from voiceperf.errors import InputError


@pytest.fixture
def folder(tmp_path):
    """A project, with a folder within it from which commands are typed."""

    def made(table):
        (tmp_path / "pyproject.toml").write_text(f"[tool.voiceperf]\n{table}")
        within = tmp_path / "src" / "agent"
        within.mkdir(parents=True)
        return within

    return made


def test_files_are_those_of_the_project_wherever_one_stands(folder, tmp_path):
    """A path is relative to the project's file; a profile that is no file there is a shipped one."""
    within = folder('call = "a.toml"\nprofile = "mine.toml"\nbaseline = "fair"\nbaselines = ["seed", "mine.toml"]\n')
    (tmp_path / "mine.toml").write_text("")
    mine = str(tmp_path / "mine.toml")
    assert project.defaults(within) == {
        "call": str(tmp_path / "a.toml"), "profile": mine, "baseline": "fair", "baselines": ["seed", mine],
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "[tool]\n", "[tool.other]\na = 1\n", "[project]\nname = 'a'\n"])
def test_a_project_without_the_table_sets_nothing(tmp_path, text):
    """Other tools' tables are theirs."""
    (tmp_path / "pyproject.toml").write_text(text)
    assert project.defaults(tmp_path) == {}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("gone = 1", "has no gone; there are call"),
        ("call = 7", "call must be a text"),
        ("baselines = 'fair'", "baselines must be a list"),
        ("call = ", "not valid TOML"),
    ],
)
def test_a_damaged_table_is_one_line(folder, table, said, one_line):
    """The file, the name and what it should be."""
    with pytest.raises(InputError) as caught:
        project.defaults(folder(table))
    one_line(caught.value, "pyproject.toml", said)


def test_a_command_takes_the_project_s_values_unless_others_are_typed(folder, tmp_path, monkeypatch, capsys):
    """`[tool.voiceperf] baseline` is what `compare` has where nothing is typed; what is typed counts."""
    monkeypatch.chdir(folder('baseline = "seed"\ncall = "gone.toml"\n'))
    seen = []

    def compared(old, new, names, between, call, *rest, **more):
        seen.append((old.profile.name, str(call)))

    monkeypatch.setattr(importlib.import_module("voiceperf.cli.compare"), "compare_sides", compared)
    for arguments in ([], ["--baseline", "fair", "--call", "other.toml"]):
        monkeypatch.setattr(sys, "argv", ["voiceperf", "compare", "thinking", *arguments])
        with pytest.raises(SystemExit):
            main()
    assert seen == [("seed", str(tmp_path / "gone.toml")), ("fair", "other.toml")]
    capsys.readouterr()


def test_a_change_is_of_the_baseline_though_the_project_names_a_candidate(folder, monkeypatch, capsys):
    """`compare --set` is beside the same without it, as its help says; a candidate that is typed counts."""
    monkeypatch.chdir(folder('candidate = "upstream"\n'))
    seen = []
    monkeypatch.setattr(
        importlib.import_module("voiceperf.cli.compare"),
        "compare_sides",
        lambda old, new, *rest, **more: seen.append((old.profile.name, new.profile.name)),
    )
    for arguments in ([], ["--candidate", "fair"]):
        monkeypatch.setattr(sys, "argv", ["voiceperf", "compare", "thinking", "--set", "n_threads=1", *arguments])
        with pytest.raises(SystemExit):
            main()
    assert seen == [("shipped", "shipped"), ("shipped", "fair")]
    capsys.readouterr()


def test_a_project_s_profiles_do_not_forbid_running_services(folder, monkeypatch, capsys):
    """`replay --uri` talks to what runs, whatever the project's table says; nor does a baseline there compare."""
    monkeypatch.chdir(folder('profile = "fair"\nbaseline = "fair"\n'))
    monkeypatch.setattr(sys, "argv", ["voiceperf", "replay", "--uri", "tcp://127.0.0.1:1"])
    with pytest.raises(SystemExit):
        main()
    assert "cannot be reached" in capsys.readouterr().err
