"""The preloaded library behind llama.cpp's `static_split`: built once by the C compiler, kept in the cache."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

from voiceperf.errors import ParameterError
from voiceperf.places import cache_dir

_SYMBOL = "ggml_is_numa"


def unavailable() -> str | None:
    """Why it cannot be had here, or None."""
    if not sys.platform.startswith("linux"):
        return "it works by preloading a library, which only Linux does for this"
    if _compiler() is None and not _target().is_file():
        return "it needs a C compiler; apt-get install gcc"
    return None


def library() -> Path:
    """The library to preload, compiled if it is not in the cache yet.

    Raises:
        ParameterError: it cannot be had here.
    """
    target = _target()
    if target.is_file():
        return target
    if reason := unavailable():
        raise ParameterError(f"llama.static_split: {reason}, or leave it off")
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(f".{os.getpid()}.part")
    command = [str(_compiler()), "-shared", "-fPIC", "-O2", "-x", "c", "-", "-o", str(part)]
    done = subprocess.run(command, input=_source(), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise ParameterError(f"llama.static_split: the C compiler failed ({done.stderr.strip()}); leave it off")
    os.replace(part, target)
    return target


def preloaded() -> bool:
    """Whether this process was started with the library."""
    return hasattr(ctypes.CDLL(None), _SYMBOL)


def _compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


def _source() -> str:
    return resources.files("voiceperf.engines").joinpath("native", "static_split.c").read_text(encoding="utf-8")


def _target() -> Path:
    digest = hashlib.sha256(_source().encode()).hexdigest()[:12]
    return cache_dir() / "native" / f"static_split-{digest}.so"
