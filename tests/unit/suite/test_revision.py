import contextlib
import subprocess
from pathlib import Path

import pytest

from voiceperf.cli.gate import gate
from voiceperf.errors import InputError
from voiceperf.suite.revision import base_of_checkout, revision

MODULE = Path("src", "voiceperf", "__init__.py")


def git(folder, *arguments):
    identity = ("-c", "user.name=n", "-c", "user.email=e")
    return subprocess.run(
        ["git", "-C", folder, *identity, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder, name, text):
    """Write one file, and make that a commit; returns it."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "c")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache folder of its own."""
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def repository(tmp_path):
    """A repository on main with two revisions of a one-line voiceperf."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    for text in ("old = 1\n", "new = 1\n"):
        commit(folder, MODULE, text)
    return folder


def test_a_revision_is_laid_out_once_and_the_checkout_is_untouched(repository, cache):
    """The folder has that revision's source, and serves the next comparison too."""
    source = Path(revision("HEAD~1", repository).source())
    assert (source / "voiceperf" / "__init__.py").read_text() == "old = 1\n"
    assert source.is_relative_to(cache)
    assert (repository / MODULE).read_text() == "new = 1\n"
    (source / "mark").touch()
    assert Path(revision("HEAD~1", repository).source(), "mark").exists()
    assert git(repository, "status", "--porcelain") == ""


def test_revisions_that_nobody_uses_are_removed(repository, cache):
    """The cache folder keeps the five that were used last."""
    for number in range(7):
        commit(repository, MODULE, f"number = {number}\n")
        revision("HEAD", repository).files()
    assert len(list((cache / "revisions").iterdir())) == 5


def test_unknown_revision_is_named(repository, one_line):
    """A revision that does not exist is an error in one line."""
    with pytest.raises(InputError) as caught:
        revision("gone", repository)
    one_line(caught.value, "'gone'")


def test_folder_without_repository_is_named(tmp_path, one_line):
    """Outside a repository there are no revisions."""
    with pytest.raises(InputError) as caught:
        revision("HEAD", tmp_path)
    one_line(caught.value, str(tmp_path))


def test_a_revision_is_found_from_a_subfolder(repository):
    """Wherever in the checkout the command is typed, the revision's whole source is there."""
    assert Path(revision("HEAD~1", repository / "src").source(), "voiceperf").is_dir()


def test_a_project_without_voiceperf_has_no_source_of_its_own(repository):
    """A repository that only uses voiceperf is measured by the voiceperf that is installed."""
    git(repository, "rm", "--quiet", "-r", "src")
    commit(repository, "mine.toml", "")
    assert revision("HEAD", repository).source() is None


def test_a_gate_has_something_to_see_or_says_so(repository, one_line):
    """Of a project without voiceperf its profile and its lock files can change; with neither, both sides are one."""
    assert revision("HEAD", repository).watches("shipped")
    git(repository, "rm", "--quiet", "-r", "src")
    commit(repository, "agent.py", "")
    profile = repository / "mine.toml"
    profile.touch()
    assert not revision("HEAD", repository).watches("shipped")
    assert revision("HEAD", repository).watches(str(profile))
    with contextlib.chdir(repository), pytest.raises(InputError) as caught:
        gate("HEAD")
    one_line(caught.value, "both sides would be the same", "--profile FILE")
    commit(repository, "requirements.txt", "voiceperf\n")
    assert revision("HEAD", repository).watches("shipped")


def test_a_file_is_as_it_was_then(repository):
    """A profile in the repository is read from the revision; one of elsewhere, or of later, is not in it."""
    commit(repository, "mine.toml", "summary = 'old'\n")
    commit(repository, "mine.toml", "summary = 'new'\n")
    then = revision("HEAD~1", repository)
    assert then.file(repository / "mine.toml").read_text() == "summary = 'old'\n"
    assert then.file(repository / "other.toml") is None
    assert then.file(Path("/elsewhere.toml")) is None


def test_a_branch_of_the_origin_is_found(repository, tmp_path):
    """A clone that has checked out a commit knows main only as its origin's."""
    clone = tmp_path / "clone"
    git(repository, "clone", "--quiet", repository, clone)
    for command in (["checkout", "--quiet", "--detach"], ["branch", "--quiet", "-D", "main"]):
        git(clone, *command)
    assert revision("main", clone).commit == git(repository, "rev-parse", "main")


def test_a_shallow_clone_is_told_what_to_fetch(repository, tmp_path, one_line):
    """Where history is cut off, the error names the command that brings it."""
    clone = tmp_path / "shallow"
    git(repository, "clone", "--quiet", "--depth=1", f"file://{repository}", clone)
    with pytest.raises(InputError) as caught:
        revision("v1", clone)
    one_line(caught.value, "'v1'", "shallow clone", "git fetch --unshallow origin v1")


def test_a_branch_is_measured_against_where_it_left_main(repository):
    """Commits of main that came later are nobody's fault here."""
    left = git(repository, "rev-parse", "HEAD")
    git(repository, "checkout", "--quiet", "-b", "change")
    commit(repository, MODULE, "changed = 1\n")
    git(repository, "checkout", "--quiet", "main")
    commit(repository, MODULE, "meanwhile = 1\n")
    git(repository, "checkout", "--quiet", "change")
    assert base_of_checkout(repository).commit == left


def test_on_main_the_last_commit_before_the_change_counts(repository):
    """With changes that are not committed, that is HEAD; else the one before it."""
    assert base_of_checkout(repository).commit == git(repository, "rev-parse", "HEAD~1")
    (repository / MODULE).write_text("uncommitted = 1\n")
    assert base_of_checkout(repository).commit == git(repository, "rev-parse", "HEAD")


def test_a_first_commit_has_nothing_before_it(tmp_path, one_line):
    """There is nothing to compare with, in one line."""
    folder = tmp_path / "new"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "a", "")
    with pytest.raises(InputError) as caught:
        base_of_checkout(folder)
    one_line(caught.value, "no commit before")


def test_one_environment_serves_both_where_no_lock_file_has_changed(repository):
    """Nothing is built for a change of code."""
    assert revision("HEAD~1", repository).python() is None


def test_another_lock_file_is_another_environment_made_once(repository):
    """It is made in the revision's checkout by the command, and is there the next time."""
    for version in ("1", "2"):
        commit(repository, "requirements.lock", f"numpy=={version}\n")
    make = "mkdir -p .venv/bin && cp requirements.lock .venv/bin/python && echo made >> count"
    for _ in range(2):
        python = Path(revision("HEAD~1", repository).python(make))
    assert python.read_text() == "numpy==1\n"
    assert (python.parents[2] / "count").read_text() == "made\n"


def test_its_own_set_up_makes_the_environment(repository):
    """A checkout with ci/setup.sh needs no command."""
    commit(repository, "ci/setup.sh", "mkdir -p .venv/bin; touch .venv/bin/python\n")
    commit(repository, "requirements.lock", "new\n")
    assert revision("HEAD~1", repository).python().endswith(".venv/bin/python")


@pytest.mark.parametrize(("command", "said"), [("", "--set-up"), ("echo no wheel >&2; false", "no wheel")])
def test_an_environment_that_cannot_be_made_is_an_error_with_the_remedy(repository, one_line, command, said):
    """Without a command it says which file differs and how to go on; with one, what that last wrote."""
    commit(repository, "requirements.lock", "new\n")
    with pytest.raises(InputError) as caught:
        revision("HEAD~1", repository).python(command)
    one_line(caught.value, said)
