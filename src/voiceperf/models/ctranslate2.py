"""Read a CTranslate2 `model.bin`: the container in which whisper's weights reach a package registry.

Layout (little endian, binary version 6, see OpenNMT/CTranslate2 `python/ctranslate2/specs/model_spec.py`):
u32 version, string spec, u32 revision, u32 count, then each variable as string name, u8 rank,
u32 dimensions, u8 dtype, u32 bytes, data; at last u32 count of aliases, each two strings.
A string is a u16 length that counts its closing NUL, then the bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voiceperf.errors import ModelError

_BINARY_VERSION = 6
_DTYPES = {0: "<f4", 1: "<i1", 2: "<i2", 3: "<i4", 4: "<f2"}


@dataclass(frozen=True)
class CTranslate2Model:
    """The variables of one file, by name, as read-only views of its bytes."""

    spec: str
    variables: dict[str, NDArray[Any]]

    def __getitem__(self, name: str) -> NDArray[Any]:
        try:
            return self.variables[name]
        except KeyError:
            raise ModelError(f"the CTranslate2 model has no variable {name!r}; is it a {self.spec}?") from None

    def count(self, prefix: str) -> int:
        """How many layers `prefix0/`, `prefix1/`, ... there are."""
        layers = {name[len(prefix) :].split("/", 1)[0] for name in self.variables if name.startswith(prefix)}
        return sum(layer.isdigit() for layer in layers)


class _Reader:
    """A cursor over the bytes of one file."""

    def __init__(self, data: bytes, path: Path) -> None:
        self.data, self.path, self.at = data, path, 0

    def number(self, code: str) -> int:
        try:
            (value,) = struct.unpack_from("<" + code, self.data, self.at)
        except struct.error:
            raise self.broken() from None
        self.at += struct.calcsize(code)
        return int(value)

    def bytes(self, count: int) -> bytes:
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise self.broken()
        self.at += count
        return piece

    def string(self) -> str:
        try:
            return self.bytes(self.number("H")).rstrip(b"\0").decode()
        except UnicodeDecodeError:
            raise self.broken() from None

    def variable(self) -> tuple[str, NDArray[Any]]:
        name = self.string()
        shape = [self.number("I") for _ in range(self.number("B"))]
        dtype = self.number("B")
        data = self.bytes(self.number("I"))
        try:
            return name, np.frombuffer(data, dtype=_DTYPES[dtype]).reshape(shape)
        except (KeyError, ValueError):
            raise self.broken() from None

    def broken(self) -> ModelError:
        return ModelError(
            f"{self.path}: not a whole CTranslate2 model (stopped at byte {self.at} of {len(self.data)}); pull it again"
        )


def read(path: Path) -> CTranslate2Model:
    """Read a whole `model.bin`.

    Raises:
        ModelError: the file is truncated, of another version, or no CTranslate2 model at all.
    """
    reader = _Reader(path.read_bytes(), path)
    version = reader.number("I")
    if version != _BINARY_VERSION:
        raise ModelError(f"{path}: CTranslate2 binary version {version}, only {_BINARY_VERSION} is read here")
    spec = reader.string()
    reader.number("I")  # the spec's revision changes nothing in the layout
    variables = dict(reader.variable() for _ in range(reader.number("I")))
    for _ in range(reader.number("I")):
        alias, target = reader.string(), reader.string()
        if target not in variables:
            raise reader.broken()
        variables[alias] = variables[target]
    return CTranslate2Model(spec, variables)
