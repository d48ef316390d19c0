"""What an engine makes of one input is the same every time, so it is not asked twice; a baseline not even another day.

Outputs of a baseline are kept in the cache folder, under a name that covers everything that can change them. Of what is
read from there, a random twentieth is computed again, and has to be the same.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import json
import os
import random
import re
import shutil
import sys
import zipfile
from collections.abc import Callable, Hashable
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

import voiceperf
from voiceperf import gpu, machine
from voiceperf.engines.base import (
    Line,
    Output,
    Piece,
    Recital,
    Recited,
    Request,
    Speech,
    Transcript,
    Utterance,
    same_output,
)
from voiceperf.errors import InputError, ModelError
from voiceperf.files import written
from voiceperf.measure.contender import SOURCE_PATH, Contender
from voiceperf.measure.fingerprint import engine_sources
from voiceperf.measure.process import WorkerProcess
from voiceperf.models.store import file_sha256, locate
from voiceperf.places import cache_dir
from voiceperf.roles import DETERMINISTIC, LOCAL

CHECKED_SHARE = 0.05  # of what is read from the disk
_NATIVE = re.compile(r"\.(so[.\d]*|dylib|dll|pyd)$")
_DECISIVE = ("GGML_", "OMP_", "GOMP_", "KMP_", "MKL_", "OPENBLAS_", "ORT_", "LD_PRELOAD", "GLIBC_TUNABLES")
"""How the names of environment variables begin that numerical libraries listen to."""


class Asked(Protocol):
    """A worker, or what remembers its answers."""

    @property
    def contender(self) -> Contender: ...

    def ask(self, request: Request) -> Output: ...


class StaleError(Exception):
    """A kept output is not what the engine makes of the input now."""


class Outputs:
    """By outcome and input: contenders that differ only in threads share them. Scores are too large to keep."""

    def __init__(self, folder: Path | None = None, start: Callable[[Contender], Any] = WorkerProcess) -> None:
        self._memory: dict[Any, Output] = {}
        self._folder = cache_dir() / "outputs" if folder is None else folder
        self._start = start

    def of(self, contender: Contender, *, shared: bool = True, on_disk: bool = False) -> Remembering:
        """The contender's outputs, asked for as they are needed; its process starts with the first that is not known.

        Args:
            contender: whose.
            shared: they are remembered for others, not only while this one is in use.
            on_disk: they outlive this process, where everything that decides them can be seen from here.
        """
        name = decisive(contender)
        memory = self._memory if shared else {}
        folder = self._folder / name if name and on_disk else None
        return Remembering(contender, self._start, memory, folder, name or contender.outcome())

    def drop(self, contender: Contender) -> None:
        """Forget whatever was kept of a contender."""
        if name := decisive(contender):
            shutil.rmtree(self._folder / name, ignore_errors=True)
        self._memory = {key: out for key, out in self._memory.items() if key[0] not in (name, contender.outcome())}


class Remembering:
    """One contender whose outputs are remembered. Use as a context manager, which ends its process.

    Contenders of one `identity` make the same of every input.
    """

    def __init__(
        self,
        contender: Contender,
        start: Callable[[Contender], Any],
        memory: dict[Any, Output],
        folder: Path | None,
        identity: Hashable,
    ) -> None:
        self.contender, self.identity = contender, identity
        self._start, self._memory, self._folder = start, memory, folder
        self._worker: Any = None

    def ask(self, request: Request) -> Output:
        """What the engine makes of it.

        Raises:
            StaleError: it is not what was kept.
            EngineError: the engine fails.
        """
        digest = _digest(request)
        if digest is None:
            return self._compute(request)
        key = (self.identity, digest)
        if key not in self._memory:
            self._memory[key] = self._kept(request, digest)
        return self._memory[key]

    def _kept(self, request: Request, digest: str) -> Output:
        """From the disk, now and then computed again; or computed, and kept there."""
        path = self._folder / f"{digest}.npz" if self._folder else None
        found = _read(path) if path else None
        if found is not None and random.random() >= CHECKED_SHARE:
            return found
        output = self._compute(request)
        if found is not None and not same_output(found, output):
            raise StaleError(f"{self.contender.engine} ({self.contender.name})")
        if path and found is None:
            _write(path, output)
        return output

    def _compute(self, request: Request) -> Output:
        if self._worker is None or not self._worker.alive:
            self._worker = self._start(self.contender.alone())
        output: Output = self._worker.ask(request)
        return output

    def __enter__(self) -> Remembering:
        return self

    def __exit__(self, *error: object) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None


def decisive(contender: Contender) -> str | None:
    """A name over everything that can change what a contender makes of an input.

    The processor and its features, the files of voiceperf's engines and of their libraries, the weights, every
    parameter that is not neutral, the environment. None where not all of that can be seen from here: of another
    interpreter, an engine of another package, or one behind a URL.
    """
    is_ours = type(contender.params).__module__.startswith(f"{voiceperf.__name__}.")
    if contender.python != sys.executable or not is_ours or contender.lacks({DETERMINISTIC, LOCAL}):
        return None
    values = dict(contender.params.outcome())
    own = {**contender.params.environment(), **contender.env}
    source = own.pop(SOURCE_PATH, "")
    environment = {name: value for name, value in os.environ.items() if name.startswith(_DECISIVE)} | own
    facts = {
        "engine": contender.engine,
        "values": values,
        "environment": environment,
        "files": {name: digest for name in contender.params.files() if (digest := _file_of(name))},
        "libraries": _libraries(contender.params.distributions),
        "voiceperf": engine_sources(Path(source, voiceperf.__name__) if source else Path(voiceperf.__file__).parent),
        "processor": machine.processor(),
        **({"gpus": found} if (found := gpu.usable()) else {}),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _file_of(name: str) -> str | None:
    """The hash of a model of the catalogue, or of the user's own file."""
    try:
        return file_sha256(locate(name)) if name else None
    except ModelError:
        return None


@cache
def _libraries(distributions: tuple[str, ...]) -> dict[str, str]:
    """The versions of packages, and the hashes of their native files."""
    found = {}
    for name in distributions:
        try:
            package = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = package.version
        native = [Path(str(file.locate())) for file in package.files or () if _NATIVE.search(file.name)]
        found |= {path.name: file_sha256(path) for path in native if path.is_file()}
    return found


def _digest(request: Request) -> str | None:
    """The name of what is asked; None for what is asked once, or whose output is too large to keep."""
    facts: tuple[str, ...]
    match request:
        case Line():
            facts = ("line", request.text, request.voice)
        case Utterance():
            facts = ("utterance", request.language, hashlib.sha256(request.audio.tobytes()).hexdigest())
        case Recital():
            facts = ("recital", request.text, request.language, hashlib.sha256(request.audio.tobytes()).hexdigest())
        case _:
            return None
    return hashlib.sha256("\0".join(facts).encode(errors="surrogatepass")).hexdigest()


def _write(path: Path, output: Output) -> None:
    """Whole or not at all; where the folder cannot be written, nothing is kept."""
    facts = dataclasses.asdict(output)
    audio = facts.pop("audio", np.empty(0, np.float32))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with written(path) as part, part.open("wb") as file:
            np.savez(file, audio=audio, facts=json.dumps(facts))
    except (OSError, InputError):
        return


def _read(path: Path) -> Output | None:
    """None for what is not there, or is damaged: it is then computed."""
    try:
        with np.load(path, allow_pickle=False) as kept:
            facts, audio = json.loads(str(kept["facts"])), kept["audio"]
        if "log_probs" in facts:
            return Recited(tuple(map(float, facts["log_probs"])))
        if "pieces" in facts:
            return Speech(**facts | {"audio": audio, "pieces": tuple(Piece(**piece) for piece in facts["pieces"])})
        return Transcript(**facts)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):
        return None
