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
from importlib import resources
from pathlib import Path

from voiceperf import machine
from voiceperf.engines.base import Capability
from voiceperf.errors import ParameterError
from voiceperf.files import reason_of, shown
from voiceperf.params import EngineParams
from voiceperf.places import CACHE_VARIABLE, cache_dir


@dataclass(frozen=True)
class Compiled:
    """One shared library.

    `parameter` asks for it; `sources` are its files under `native/`, which are compiled as one; `features` are what the
    processor must have, by the kernel's names for them, which the compiler knows too.
    """

    parameter: str
    sources: tuple[str, ...]
    features: tuple[str, ...] = ()

    def unavailable(self) -> str | None:
        """Why it cannot be had here, or None."""
        if not sys.platform.startswith("linux"):
            return "it is made for Linux"
        if lacking := [feature for feature in self.features if feature not in machine.processor()[1]]:
            return f"this processor has no {' '.join(lacking)}"
        if _compiler() is None and not self._target().is_file():
            return "it needs a C++ compiler; apt-get install g++"
        if not self._target().is_file() and (reason := self._unwritable()):
            folder = shown(self._target().parent)
            return f"it cannot be kept in {folder} ({reason}); set {CACHE_VARIABLE} to a folder that takes it"
        return None

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
        part = target.with_suffix(f".{os.getpid()}.part")
        command = [str(_compiler()), *self._flags(), "-x", "c++", "-", "-o", str(part)]
        done = subprocess.run(command, input=self._text(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ParameterError(f"{self.parameter}: the C++ compiler failed ({done.stderr.strip()}); leave it off")
        os.replace(part, target)

    def _flags(self) -> list[str]:
        return [
            "-shared",
            "-fPIC",
            "-O3",
            *(f"-m{feature.replace('_', '')}" for feature in self.features),
            "-std=c++17",
        ]

    def _text(self) -> str:
        native = resources.files("voiceperf.engines").joinpath("native")
        return "".join(native.joinpath(source).read_text(encoding="utf-8") for source in self.sources)

    def _target(self) -> Path:
        digest = hashlib.sha256("\n".join([*self._flags(), self._text()]).encode()).hexdigest()[:12]
        return cache_dir() / "native" / f"{self.sources[-1].removesuffix('.cpp')}-{digest}.so"


def missing(params: EngineParams, libraries: Iterable[Compiled]) -> dict[str, str]:
    """The parameters that ask for a library that cannot be had here, with the reason."""
    wanted = [library for library in libraries if getattr(params, library.parameter)]
    reasons = {library.parameter: library.unavailable() for library in wanted}
    return {name: reason for name, reason in reasons.items() if reason}


def _compiler() -> str | None:
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
