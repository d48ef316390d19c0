"""A user's own GGUF file in smaller types of weights: made here by llama.cpp, kept in the model cache."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from voiceperf.errors import ModelError
from voiceperf.log import Progress, say
from voiceperf.models.sources import requantise
from voiceperf.models.store import file_sha256, private_folder
from voiceperf.places import cache_dir

BITS_A_WEIGHT = {"q8_0": 8.5, "q4_1": 5.0, "q4_0": 4.5}  # of the types that are worth trying, as ggml stores them
_SURELY_SMALLER = 0.9  # of the original's bits: some tensors of a file keep their type


def quantisations(original: Path, making: Progress | None = None) -> list[Path]:
    """The files that hold the same model in fewer bits, as far as they are there.

    A file is kept under the hash of what it was made of, so that it is made once and never stands for another model.

    Args:
        original: a GGUF file; of any other there are none.
        making: makes those that are missing, and is called before each. What llama.cpp refuses is said and left out.
    """
    smaller = _smaller_types(original)
    if not smaller:
        return []
    made_of = file_sha256(original)[:16]
    folder = cache_dir() / "models" / "own"
    wanted = {kind: folder / f"{original.stem}-{made_of}-{kind}.gguf" for kind in smaller}
    for kind, path in wanted.items():
        if making and not path.is_file():
            making(f"{original.name}: requantising to {kind}", 0, 0)
            try:
                _make(original, path, kind)
            except ModelError as error:
                say(str(error))
    return [path for path in wanted.values() if path.is_file()]


def _make(original: Path, path: Path, kind: str) -> None:
    """Whole, or not at all."""
    folder = private_folder(path.parent)
    try:
        part = folder / path.name
        requantise(original, part, kind)
        os.replace(part, path)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _smaller_types(original: Path) -> list[str]:
    """Which types take surely fewer bits a weight than the file does."""
    from gguf import GGUFReader

    try:
        tensors = GGUFReader(original).tensors
    except (ValueError, KeyError, IndexError):  # no GGUF file, or a damaged one: who loads it says so
        return []
    weights = sum(int(tensor.n_elements) for tensor in tensors)
    bits = 8 * sum(int(tensor.n_bytes) for tensor in tensors) / max(weights, 1)
    return [kind for kind, own in BITS_A_WEIGHT.items() if own < bits * _SURELY_SMALLER]
