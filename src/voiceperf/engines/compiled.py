"""voiceperf's own C++, compiled where it runs: files under `native/`, built once and kept in the cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from voiceperf import machine
from voiceperf.engines.base import Capability
from voiceperf.errors import ParameterError
from voiceperf.files import reason_of, shown
from voiceperf.params import EngineParams
from voiceperf.places import CACHE_VARIABLE, cache_dir

NATIVE = Path(__file__).with_name("native")


@dataclass(frozen=True)
class Compiled:
    """One shared library.

    `parameter` asks for it; `source` is its file under `native/`, which includes others there; `features` are what the
    processor must have, by the kernel's names for them, which the compiler knows too.
    """

    parameter: str
    source: str
    features: tuple[str, ...] = ()

    def unavailable(self) -> str | None:
        """Why it cannot be had here, or None."""
        if not sys.platform.startswith("linux"):
            return "it is made for Linux"
        if lacking := [feature for feature in self.features if feature not in machine.processor()[1]]:
            return f"this processor has no {' '.join(lacking)}"
        if compiler() is None and not self._target().is_file():
            return "it needs a C++ compiler; apt-get install g++"
        reason = self._unloadable() if self._target().is_file() else self._unwritable() or self._unloadable()
        if reason:
            folder = shown(self._target().parent)
            return f"it cannot be kept in {folder} ({reason}); set {CACHE_VARIABLE} to a folder that takes it"
        return None

    def _unloadable(self) -> str | None:
        """Why what lies in the cache cannot be loaded as code, or None."""
        is_data = os.statvfs(self._target().parent).f_flag & os.ST_NOEXEC
        return "its file system is mounted noexec" if is_data else None

    def _unwritable(self) -> str | None:
        """Why a library cannot be written to the cache, or None."""
        folder = self._target().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return None
        except OSError as error:
            return reason_of(error)

    def path(self) -> Path:
        """The library, compiled if it is not in the cache yet.

        Raises:
            ParameterError: it cannot be had here.
        """
        target = self._target()
        if reason := self.unavailable():
            raise ParameterError(f"{self.parameter}: {reason}, or leave it off")
        if not target.is_file():
            self._compile(target)
        return target

    def capability(self) -> Capability:
        """For `voiceperf doctor`."""
        reason = self.unavailable()
        return Capability(self.parameter, reason is None, reason or "")

    def _compile(self, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        # a folder of its own: a cache may be shared by containers, whose processes have the same numbers
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            part = Path(folder, target.name)
            command = [str(compiler()), *self.flags(), str(NATIVE / self.source), "-o", str(part)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                raise ParameterError(f"{self.parameter}: the C++ compiler failed ({done.stderr.strip()}); leave it off")
            os.replace(part, target)

    def flags(self) -> list[str]:
        """What it is compiled with."""
        return [
            "-shared",
            "-fPIC",
            "-fvisibility=hidden",
            "-O3",
            *(f"-m{feature.replace('_', '')}" for feature in self.features),
            "-std=c++17",
        ]

    def _target(self) -> Path:
        """Where it is kept, by a name that another flag or a change to any native file makes another."""
        digest = hashlib.sha256("\n".join(self.flags()).encode())
        for path in sorted(NATIVE.glob("*.?pp")):
            digest.update(path.read_bytes())
        return cache_dir() / "native" / f"{Path(self.source).stem}-{digest.hexdigest()[:12]}.so"


def missing(params: EngineParams, libraries: Iterable[Compiled]) -> dict[str, str]:
    """The parameters that ask for a library that cannot be had here, with the reason."""
    wanted = [library for library in libraries if getattr(params, library.parameter)]
    reasons = {library.parameter: library.unavailable() for library in wanted}
    return {name: reason for name, reason in reasons.items() if reason}


def compiler() -> str | None:
    """The C++ compiler of this machine, or None."""
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
