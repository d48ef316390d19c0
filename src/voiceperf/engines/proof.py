"""Whether functions of ours, in front of a library's own, are reached by it and compute what it would.

They replace functions inside ggml by name. An update that moves a structure, or no longer goes through a name, would
make them wrong or idle, and nothing would say so. So a process that is started with them first asks the library for a
few operations whose results are known.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from packaging.requirements import Requirement

from voiceperf.engines.base import installed_version
from voiceperf.engines.ggml import Q4_1, Q8_0, Ggml
from voiceperf.engines.preload import (
    ACTIVATION,
    ATTENTION,
    ENCODER_KERNELS,
    MATRIX_KERNELS,
    SPLIT,
    STATIC_SPLIT,
    Count,
    Preloaded,
    not_loaded,
)
from voiceperf.params import EngineParams

_LEAST = {Q8_0: -127, Q4_1: -8}  # integers that ggml stores exactly, if each block of 32 has the least and the most
_MOST = {Q8_0: 127, Q4_1: 7}
_ROWS, _BLOCKS, _COLUMNS = 37, 3, (1, 3, 20)  # no multiple of what our loops take at once
_ROUNDING = 2e-5  # of float32, in an attention or an activation of numbers near 1

Proof = Callable[[Ggml, Preloaded], str | None]
"""Asks the library, and says what is wrong."""


def unproven(params: EngineParams, libraries: Iterable[Preloaded], beside: str) -> dict[str, str]:
    """The parameters whose libraries this process lacks, or that do not do the work of the library beside them.

    Args:
        params: ask for some of them.
        libraries: of the engine.
        beside: the path of the library whose functions they replace.
    """
    wanted = [one for one in libraries if getattr(params, one.parameter)]
    if lacking := not_loaded(params, wanted):
        return lacking
    reasons = {one.parameter: _untested(params) or _wrong(one, beside) for one in wanted}
    return {name: f"{reason}; set it to false" for name, reason in reasons.items() if reason}


def _untested(params: EngineParams) -> str | None:
    """Which version of its package is none of those that voiceperf's own package asks for."""
    try:
        asked = [Requirement(one) for one in importlib.metadata.requires("voiceperf") or ()]
    except importlib.metadata.PackageNotFoundError:  # found by a path: nothing is asked for
        return None
    for one in asked:
        version = installed_version(one.name) if one.name == params.distributions[0] else None
        if version and not one.specifier.contains(version, prereleases=True):
            return f"{one.name} {version} was not tested, {one.specifier} was"
    return None


def _wrong(library: Preloaded, beside: str) -> str | None:
    try:
        with Ggml(beside) as ggml:
            return next(filter(None, (proof(ggml, library) for proof in _PROOFS[library])), None)
    except AttributeError as error:  # ctypes' word for a function that is not exported
        return f"ggml cannot be asked ({error})"


def _products(ggml: Ggml, library: Preloaded) -> str | None:
    """Of integers, so that each result is known to the last bit."""
    for kind, name in ((Q8_0, "q8_0"), (Q4_1, "q4_1")):
        for columns in _COLUMNS:
            weights = _integers(_ROWS, _LEAST[kind], _MOST[kind])
            given = _integers(columns, -127, 127)
            before = library.counts()
            found = ggml.product(ggml.quantised(weights, kind), given, _ROWS)
            if library.counts()[kind].ours == before[kind].ours:
                return f"ggml does not come to voiceperf's product of {name}"
            if (found != (given[:, None] * weights[None]).sum(-1, dtype=float)).any():
                return f"voiceperf's product of {name} is another than what ggml's numbers stand for"
    return None


def _products_if_offered(ggml: Ggml, library: Preloaded) -> str | None:
    """The same where the build offers its products at all; one without llamafile's has the rest (docs/HARDWARE.md)."""
    return _products(ggml, library) if ggml.has("llamafile_sgemm") else None


def _integers(rows: int, least: int, most: int) -> NDArray[np.float32]:
    """Shape (rows, columns), float32; each block has both ends and is a power of two as large."""
    blocks = least // 4 + _scattered((rows, _BLOCKS, 32)) % (most // 4 - least // 4 + 1)
    blocks[..., 5], blocks[..., 20] = least, most
    powers = 2.0 ** (_scattered((rows, _BLOCKS, 1)) % 5 - 2)
    return (blocks * powers).reshape(rows, -1).astype(np.float32)


def _scattered(shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Numbers from 0 to 65,535 without an order that matters here, the same each time."""
    return np.arange(np.prod(shape)).reshape(shape) ** 2 * 2_654_435_761 // 2**12 % 2**16


def _attention(ggml: Ggml, library: Preloaded) -> str | None:
    numbers = _scattered((2, 70 + 2 * 128, 64)) / 2**14 - 2  # from -2 to 2
    queries = numbers[:, :70].astype(np.float32)
    keys, values = numbers[:, 70:198].astype(np.float16), numbers[:, 198:].astype(np.float16)
    before = library.counts()
    found = ggml.attention(queries, keys, values)
    scores = np.exp(np.einsum("hqd,hkd->hqk", queries, keys.astype(float)) / 8)
    exact = np.einsum("hqk,hkd->hqd", scores / scores.sum(-1, keepdims=True), values.astype(float))
    return _compared(library, ATTENTION, "attention", before, np.abs(found - exact).max())


def _activation(ggml: Ggml, library: Preloaded) -> str | None:
    numbers = np.linspace(-6, 6, 203, dtype=np.float32)
    before = library.counts()
    found = ggml.gelu(numbers)
    x = numbers.astype(float)
    exact = 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return _compared(library, ACTIVATION, "activation", before, np.abs(found - exact).max())


def _compared(library: Preloaded, kind: int, name: str, before: Sequence[Count], error: float) -> str | None:
    if library.counts()[kind].ours == before[kind].ours:
        return f"ggml does not come to voiceperf's {name}"
    return f"voiceperf's {name} is {error:.0e} off" if not error < _ROUNDING else None


def _split(ggml: Ggml, library: Preloaded) -> str | None:
    """Any product asks how a matrix is to be divided."""
    before = library.counts()
    weights = np.eye(64, dtype=np.float32)
    ggml.product(ggml.tensor(weights), weights, 64)
    return "ggml does not ask how to divide a matrix" if library.counts()[SPLIT].ours == before[SPLIT].ours else None


_PROOFS: dict[Preloaded, tuple[Proof, ...]] = {
    STATIC_SPLIT: (_split,),
    MATRIX_KERNELS: (_products,),
    ENCODER_KERNELS: (_products_if_offered, _attention, _activation),
}
