"""The fingerprint: what a run was measured on. Runs of different fingerprints are not to be compared silently."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import voiceperf
from voiceperf import machine
from voiceperf.engines.base import installed_version
from voiceperf.errors import InputError
from voiceperf.files import read_bytes
from voiceperf.measure.contender import Contender
from voiceperf.models.store import file_sha256, locate
from voiceperf.roles import LOCAL

_EVERYWHERE = ("numpy", "voiceperf")


def fingerprint(contenders: Iterable[Contender]) -> dict[str, Any]:
    """Processor, cores, flags, system, library versions and the weights' hashes, with an `id` over all but the kernel.

    `machine_id` covers only the hardware and the system: runs of one machine compare across libraries and kernels.
    Of an engine behind a URL it has what the server says of itself.
    """
    contenders = list(contenders)
    local = [contender for contender in contenders if not contender.lacks({LOCAL})]
    models = {str(contender.params.as_dict().get("model", "")) for contender in local} - {""}
    servers = {f"{one.role} of {one.name}": one.params.says() for one in contenders if one not in local}
    hardware = machine.hardware()
    software = {
        "libraries": {name: version for name in libraries(contenders) if (version := installed_version(name))},
        "models_sha256": {model: file_sha256(locate(model)) for model in sorted(models)},
        **({"servers": servers} if servers else {}),
    }
    whole = machine.digest({"machine": machine.identity(hardware), **software})
    return {"id": whole, "machine_id": machine.identity(hardware), **hardware, **software}


def settings(contenders: Iterable[Contender]) -> dict[str, str]:
    """What else decides what is measured, as short hashes: each contender's parameters, and voiceperf's own engines."""
    found = {
        f"{one.role} of {one.name}": machine.digest({"engine": one.engine, **one.params.as_dict(), **one.env})
        for one in contenders
    }
    return {**found, "voiceperf's engines": engine_sources(Path(voiceperf.__file__).parent)[:12]}


@cache
def engine_sources(root: Path) -> str:
    """Over the engines of a voiceperf, and what it catalogues: any change may change an output."""
    found = hashlib.sha256()
    for room in ("engines", "models"):
        for path in sorted(root.joinpath(room).rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                found.update(path.relative_to(root).as_posix().encode() + read_bytes(path))
    for path in (root / "audio.py", root / "vad.py", root / "loops.py"):
        found.update(read_bytes(path) if path.is_file() else b"")  # an older one may not have it
    return found.hexdigest()


def libraries(contenders: Iterable[Contender]) -> list[str]:
    """The packages that do the work of contenders, and of measuring."""
    return list(dict.fromkeys([*(name for one in contenders for name in one.params.distributions), *_EVERYWHERE]))


def machine_id() -> str:
    """The part of the fingerprint that stays while libraries and models change."""
    return str(machine.identity(machine.hardware()))


_ASK = """
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


def libraries_of(python: str, libraries: Iterable[str], env: Mapping[str, str] = {}) -> dict[str, str | None]:
    """The versions of the engines' libraries in another environment; None where one is not installed.

    Args:
        python: its interpreter.
        libraries: the packages' names.
        env: what its processes' environment has beside this one's.

    Raises:
        InputError: there is no such interpreter, or it does not have voiceperf.
    """
    command = [python, "-P", "-c", _ASK, *libraries]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **env})
    except OSError as error:
        raise InputError(f"{python}: cannot be started ({error.strerror})") from None
    if told.returncode:
        last = (told.stderr.strip().splitlines() or ["without a word"])[-1]
        raise InputError(f"{python}: not a Python 3.11 or newer ({last})")
    versions: dict[str, str | None] = json.loads(told.stdout)
    if versions.get("voiceperf") is None:
        raise InputError(f"{python}: has no voiceperf; run: {python} -m pip install voiceperf")
    return versions
