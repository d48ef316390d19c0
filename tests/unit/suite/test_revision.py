import subprocess

import pytest

from voiceperf.errors import InputError
from voiceperf.suite.revision import source_of


@pytest.fixture
def repository(tmp_path):
    """A repository with two revisions of a one-line voiceperf."""

    def git(*arguments):
        subprocess.run(["git", "-C", tmp_path, "-c", "user.name=n", "-c", "user.email=e", *arguments], check=True)

    git("init", "--quiet")
    module = tmp_path / "src" / "voiceperf" / "__init__.py"
    module.parent.mkdir(parents=True)
    for text in ("old = 1\n", "new = 1\n"):
        module.write_text(text)
        git("add", ".")
        git("commit", "--quiet", "--message", text.strip())
    return tmp_path


def test_revision_is_laid_out_and_removed(repository, tmp_path_factory):
    """The folder has that revision's source, and is gone afterwards; the checkout is untouched."""
    with source_of("HEAD~1", repository) as folder:
        module = repository.__class__(folder) / "voiceperf" / "__init__.py"
        assert module.read_text() == "old = 1\n"
    assert not module.exists()
    assert (repository / "src" / "voiceperf" / "__init__.py").read_text() == "new = 1\n"


def test_unknown_revision_is_named(repository, one_line):
    """A revision that does not exist is an error in one line."""
    with pytest.raises(InputError) as caught, source_of("gone", repository):
        pass
    one_line(caught.value, "'gone'")


def test_folder_without_repository_is_named(tmp_path, one_line):
    """Outside a repository there are no revisions."""
    with pytest.raises(InputError) as caught, source_of("HEAD", tmp_path):
        pass
    one_line(caught.value, str(tmp_path))


def test_a_revision_is_found_from_a_subfolder(repository):
    """Wherever in the checkout the command is typed, the revision's whole source is there."""
    with source_of("HEAD~1", repository / "src" / "voiceperf") as folder:
        assert (repository.__class__(folder) / "voiceperf" / "__init__.py").read_text() == "old = 1\n"


def test_a_branch_of_the_origin_is_found(repository, tmp_path_factory):
    """A clone that has checked out a commit knows main only as its origin's."""
    clone = tmp_path_factory.mktemp("clone") / "c"
    subprocess.run(["git", "-C", repository, "branch", "-M", "main"], check=True)
    subprocess.run(["git", "clone", "--quiet", repository, clone], check=True)
    for command in (["checkout", "--quiet", "--detach"], ["branch", "--quiet", "-D", "main"]):
        subprocess.run(["git", "-C", clone, *command], check=True)
    with source_of("main", clone) as folder:
        assert (repository.__class__(folder) / "voiceperf" / "__init__.py").read_text() == "new = 1\n"


def test_a_shallow_clone_is_told_what_to_fetch(repository, tmp_path_factory, one_line):
    """Where history is cut off, the error names the command that brings it."""
    clone = tmp_path_factory.mktemp("shallow") / "c"
    subprocess.run(["git", "clone", "--quiet", "--depth=1", f"file://{repository}", clone], check=True)
    with pytest.raises(InputError) as caught, source_of("v1", clone):
        pass
    one_line(caught.value, "'v1'", "shallow clone", "git fetch --unshallow origin v1")
