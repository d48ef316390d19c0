"""Libraries that are preloaded into an engine's process, in front of ggml's own functions."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

from voiceperf.engines.base import KernelCount
from voiceperf.engines.compiled import Compiled
from voiceperf.engines.encoder_context import Context
from voiceperf.engines.ggml import TYPES
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import EngineParams


class Count(NamedTuple):
    """How often an operation was ours, and how often it was offered to us and left to ggml."""

    ours: int
    theirs: int


_PRODUCTS = 64
_KINDS = ("attention", "attention of few", "activation", "split")
ATTENTION, ATTENTION_OF_FEW, ACTIVATION, SPLIT = range(_PRODUCTS, _PRODUCTS + len(_KINDS))
"""Kinds of operations, as `native/counted.hpp` has them. Below these, products by ggml's number of the type."""


@dataclass(frozen=True)
class Preloaded(Compiled):
    """One library; `symbol` is a function of ggml that it replaces."""

    symbol: str = ""

    def is_loaded(self) -> bool:
        """Whether this process was started with it."""
        return hasattr(ctypes.CDLL(None), self.symbol)

    def counts(self) -> list[Count]:
        """Since this process began, by kind."""
        numbers = (ctypes.c_int64 * (2 * (_PRODUCTS + len(_KINDS))))()
        ctypes.CDLL(str(self.path())).voiceperf_counts(numbers)
        return [Count(*numbers[at : at + 2]) for at in range(0, len(numbers), 2)]


_VNNI = ("f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni")

STATIC_SPLIT = Preloaded("static_split", "static_split.cpp", symbol="ggml_is_numa")
MATRIX_KERNELS = Preloaded("vnni_kernels", "matrix_kernels.cpp", _VNNI, "llamafile_sgemm")
ENCODER_KERNELS = Preloaded("vnni_kernels", "layer_kernels.cpp", _VNNI, "voiceperf_weigh_silence")  # for whisper.cpp


@contextmanager
def weighed_silence(context: Context) -> Iterator[None]:
    """While our attention counts the silent frames of whisper's encoder as often as the context says.

    Raises:
        EngineError: whisper.cpp did not come to our attention, so what it heard is not worth reading.
    """
    library = ctypes.CDLL(None)
    weigh = library.voiceperf_weigh_silence
    weigh.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_float)
    weigh(context.frames, context.silent_from, context.times)
    try:
        yield
    finally:
        attended = weigh(0, 0, 1.0)
    if not attended:
        raise EngineError("whisper.silence_ctx: this whisper.cpp does not come to voiceperf's attention; set it to 0")


def environment(params: EngineParams, libraries: Iterable[Preloaded]) -> dict[str, str]:
    """What a process must be started with for the libraries that its parameters ask for."""
    wanted = [str(library.path()) for library in libraries if getattr(params, library.parameter)]
    if unfit := [path for path in wanted if ":" in path or " " in path]:
        raise ParameterError(
            f"{unfit[0]} cannot be preloaded, because LD_PRELOAD ends a name at a space or colon; let VOICEPERF_CACHE"
            " name a folder without"
        )
    return {"LD_PRELOAD": ":".join(wanted)} if wanted else {}


Kernels = tuple[KernelCount, ...]


def kernels(params: EngineParams, libraries: Iterable[Preloaded]) -> Kernels:
    """What the libraries that the parameters ask for have computed, and what they were offered and left."""
    wanted = [library for library in libraries if getattr(params, library.parameter)]
    counts = [(_operation(kind), count) for library in wanted for kind, count in enumerate(library.counts())]
    return tuple(KernelCount(operation, *count) for operation, count in counts if any(count))


def _operation(kind: int) -> str:
    return _KINDS[kind - _PRODUCTS] if kind >= _PRODUCTS else f"product of {TYPES.get(kind, f'type {kind}')}"


def not_loaded(params: EngineParams, libraries: Iterable[Preloaded]) -> dict[str, str]:
    """The parameters whose libraries this process was started without, with what to do."""
    wanted = [library for library in libraries if getattr(params, library.parameter) and not library.is_loaded()]
    return {library.parameter: f"start this process with LD_PRELOAD={library.path()}" for library in wanted}
