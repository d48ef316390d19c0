"""Another revision of a project, laid out beside this one: its files, and its environment where that is another.

It is laid out in the cache folder once, so that nothing in the user's checkout changes and a second comparison waits
for nothing.
"""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

from voiceperf import profiles
from voiceperf.errors import InputError
from voiceperf.files import shown
from voiceperf.log import say
from voiceperf.measure.contender import Side
from voiceperf.places import cache_dir

_KEPT = 5  # revisions; the ones that were not used for longest go
_SOURCE = Path("src", "voiceperf")
_SET_UP = "ci/setup.sh"  # makes .venv in its checkout
_LOCKS = ("requirements*.lock", "requirements*.txt", "uv.lock", "poetry.lock", "pdm.lock", "pylock*.toml", _SET_UP)
"""What decides an environment: where none of it has changed, one environment serves both sides."""


@dataclass(frozen=True)
class Revision:
    """A commit of the repository around a folder."""

    top: Path
    commit: str

    @property
    def words(self) -> str:
        return f"revision {self.commit[:9]}"

    def files(self) -> Path:
        """The folder with all its files; they are there from the first call on."""
        folder = _revisions() / self.commit
        if not folder.is_dir():
            archived = _git(self.top, "archive", "--format=tar", self.commit).stdout
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as part:
                with tarfile.open(fileobj=io.BytesIO(archived)) as archive:
                    archive.extractall(Path(part, "files"), filter="data")
                Path(part, "files").rename(folder)
        os.utime(folder)
        _leave_only_latest()
        return folder

    def source(self) -> str | None:
        """From where a worker imports voiceperf as it was then; None where the project is another."""
        folder = self.files() / _SOURCE
        return str(folder.parent) if folder.is_dir() else None

    def file(self, path: Path) -> Path | None:
        """A file of the checkout as it was then; None for a file of elsewhere."""
        try:
            then = self.files() / path.resolve().relative_to(self.top.resolve())
        except ValueError:
            return None
        return then if then.is_file() else None

    def python(self, set_up: str = "") -> str | None:
        """The interpreter of its own environment, made at the first call; None where this one's serves it too.

        Args:
            set_up: the shell command that makes `.venv` in its checkout, if not `ci/setup.sh`.

        Raises:
            InputError: it has another environment, and cannot be told how that is made, or it cannot be made.
        """
        changed = _git(self.top, "diff", "--name-only", self.commit, "--", *_LOCKS).stdout.decode().split()
        if not changed:
            return None
        folder = self.files()
        python = folder / ".venv" / "bin" / "python"
        command = set_up or (f"bash {_SET_UP}" if (folder / _SET_UP).is_file() else "")
        if not command:
            raise InputError(
                f"{changed[0]} is another in {self.words}; say how its .venv is made, as in"
                " --set-up 'python -m venv .venv && .venv/bin/pip install -r requirements.txt voiceperf',"
                " or name its interpreter with --baseline-python"
            )
        ready = folder / ".venv" / "voiceperf-ready"
        if not ready.is_file():
            told = Path(self.top, ".venv", ".gpu")  # set-up's own note of what this environment was built for
            kind = {"VOICEPERF_GPU": told.read_text()} if told.is_file() else {}
            environment = {**os.environ, **kind}
            done = subprocess.run(
                ["sh", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode or not python.is_file():
                last = (done.stderr.strip().splitlines() or ["it made no .venv/bin/python"])[-1]
                raise InputError(f"the environment of {self.words}: {command!r} failed in {folder} ({last})")
            ready.touch()
        return str(python)

    def side(self, name: str, profile: str, python: str | None = None, set_up: str = "") -> Side:
        """A side of a comparison as it was then: voiceperf's source, a profile of the repository, the environment.

        Args:
            name: of the side.
            profile: a shipped one, or a TOML file.
            python: its interpreter, where that is known.
            set_up: how its environment is made, as for `python()`.
        """
        source = self.source()
        interpreter = python or self.python(set_up) or sys.executable
        old = self.file(Path(profile)) if Path(profile).is_file() else None
        if Path(profile).is_file() and old is None:
            say(f"{profile} is not in {self.words}: both sides have it as it is now")
        then = profiles.load(str(old), source) if old else profiles.load(profile, source)
        return Side(name, then, interpreter, source if interpreter == sys.executable else None)

    def watches(self, profile: str) -> bool:
        """Whether anything can differ that voiceperf runs: its own source, a profile that is a file, lock files."""
        return Path(profile).is_file() or bool(self.source() or _git(self.top, "ls-files", "--", *_LOCKS).stdout)

    def subject(self) -> str:
        """The first line of its message."""
        return _git(self.top, "log", "-1", "--format=%s", self.commit).stdout.decode(errors="replace").strip()

    def until(self, later: Revision) -> list[Revision]:
        """The commits from this one to a later one, both included, along first parents.

        Raises:
            InputError: the later one does not come after this one.
        """
        listed = _git(self.top, "rev-list", "--first-parent", "--reverse", f"{self.commit}..{later.commit}")
        commits = listed.stdout.decode().split()
        if not commits or _run(self.top, "merge-base", "--is-ancestor", self.commit, later.commit).returncode:
            raise InputError(f"{later.words} does not come after {self.words}")
        return [self, *(Revision(self.top, commit) for commit in commits)]


def revision(name: str, folder: Path) -> Revision:
    """The commit that a name means in the repository around a folder; a branch of the origin's too.

    Raises:
        InputError: no such revision, or no repository; says what to fetch where the clone does not hold it.
    """
    top = _top(folder)
    for candidate in (name, f"origin/{name}"):
        if commit := _resolved(top, candidate):
            return Revision(top, commit)
    shallow = _run(top, "rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
    remedy = f"fetch it: git fetch {'--unshallow ' if shallow else ''}origin {name}"
    where = f"this {'shallow ' if shallow else ''}clone, {shown(top)}"
    raise InputError(f"revision {name!r} is not in {where}; {remedy}")


def base_of_checkout(folder: Path) -> Revision:
    """What a change is measured against: where its branch left main; on main itself the last commit before the change.

    Raises:
        InputError: no repository, or no commit before this one.
    """
    top = _top(folder)
    head = _resolved(top, "HEAD")
    mains = [commit for name in ("origin/HEAD", "origin/main", "origin/master", "main", "master")
             if (commit := _resolved(top, name))]  # fmt: skip
    for main in mains[:1] if head else ():
        base = _run(top, "merge-base", str(head), main).stdout.decode().strip()
        if base and base != head:
            return Revision(top, base)
    is_clean = not _git(top, "status", "--porcelain", "--untracked-files=no").stdout.strip()
    before = _resolved(top, "HEAD~1") if is_clean else head
    if not before:
        raise InputError(f"{shown(top)}: there is no commit before this one to compare with; name a revision")
    return Revision(top, before)


def _top(folder: Path) -> Path:
    return Path(os.fsdecode(_git(folder, "rev-parse", "--show-toplevel").stdout.rstrip(b"\n")))


def _resolved(top: Path, name: str) -> str:
    """The commit, or nothing."""
    return (
        _run(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").stdout.decode().strip()
    )


def _revisions() -> Path:
    return cache_dir() / "revisions"


def _leave_only_latest() -> None:
    folders = sorted(_revisions().iterdir(), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in folders[_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


def _git(folder: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    done = _run(folder, *command)
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(f"{shown(folder)}: {reason[-1] if reason else 'git failed'}")
    return done


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(["git", "-C", str(folder), *command], capture_output=True, check=False)
    except FileNotFoundError:
        raise InputError("to compare with a revision git is needed: apt-get install git") from None
