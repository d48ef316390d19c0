"""Libraries that are preloaded into an engine's process, in front of ggml's own functions.

Each is one C++ file under `native/`, built once by the compiler and kept in the cache.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from voiceperf import machine
from voiceperf.engines.base import Capability
from voiceperf.errors import ParameterError
from voiceperf.params import EngineParams
from voiceperf.places import cache_dir


@dataclass(frozen=True)
class Preloaded:
    """One library, named like the parameter that asks for it.

    `symbol` is the function of ggml that it replaces; `features` are what the processor must have, by the kernel's
    names for them, which the compiler knows too.
    """

    name: str
    symbol: str
    features: tuple[str, ...] = ()

    def unavailable(self) -> str | None:
        """Why it cannot be had here, or None."""
        if not sys.platform.startswith("linux"):
            return "it works by preloading a library, which only Linux does for this"
        if lacking := [feature for feature in self.features if feature not in machine.processor()[1]]:
            return f"this processor has no {' '.join(lacking)}"
        if _compiler() is None and not self._target().is_file():
            return "it needs a C++ compiler; apt-get install g++"
        return None

    def path(self) -> Path:
        """The library to preload, compiled if it is not in the cache yet.

        Raises:
            ParameterError: it cannot be had here.
        """
        target = self._target()
        if reason := self.unavailable():
            raise ParameterError(f"{self.name}: {reason}, or leave it off")
        if not target.is_file():
            self._compile(target)
        return target

    def _compile(self, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(f".{os.getpid()}.part")
        flags = [f"-m{feature.replace('_', '')}" for feature in self.features]
        command = [str(_compiler()), "-shared", "-fPIC", "-O3", *flags, "-std=c++17", "-x", "c++", "-", "-o", str(part)]
        done = subprocess.run(command, input=self._source(), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ParameterError(f"{self.name}: the C++ compiler failed ({done.stderr.strip()}); leave it off")
        os.replace(part, target)

    def is_loaded(self) -> bool:
        """Whether this process was started with it."""
        return hasattr(ctypes.CDLL(None), self.symbol)

    def capability(self) -> Capability:
        """For `voiceperf doctor`."""
        reason = self.unavailable()
        return Capability(self.name, reason is None, reason or "")

    def _source(self) -> str:
        return resources.files("voiceperf.engines").joinpath("native", f"{self.name}.cpp").read_text(encoding="utf-8")

    def _target(self) -> Path:
        digest = hashlib.sha256(self._source().encode()).hexdigest()[:12]
        return cache_dir() / "native" / f"{self.name}-{digest}.so"


STATIC_SPLIT = Preloaded("static_split", "ggml_is_numa")
VNNI_KERNELS = Preloaded("vnni_kernels", "llamafile_sgemm", ("f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni"))


def environment(params: EngineParams, libraries: Iterable[Preloaded]) -> dict[str, str]:
    """What a process must be started with for the libraries that its parameters ask for."""
    wanted = [str(library.path()) for library in libraries if getattr(params, library.name)]
    return {"LD_PRELOAD": ":".join(wanted)} if wanted else {}


def refuse_missing(params: EngineParams, libraries: Iterable[Preloaded]) -> None:
    """Raise ParameterError for a library that a parameter asks for and this process was started without."""
    for library in libraries:
        if getattr(params, library.name) and not library.is_loaded():
            raise ParameterError(
                f"{params.engine}.{library.name} = True: start this process with LD_PRELOAD={library.path()}"
            )


def _compiler() -> str | None:
    return shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
