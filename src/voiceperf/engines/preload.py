"""Libraries that are preloaded into an engine's process, in front of ggml's own functions."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable
from dataclasses import dataclass

from voiceperf.engines.compiled import Compiled
from voiceperf.params import EngineParams


@dataclass(frozen=True)
class Preloaded(Compiled):
    """One library; `symbol` is a function of ggml that it replaces."""

    symbol: str = ""

    def is_loaded(self) -> bool:
        """Whether this process was started with it."""
        return hasattr(ctypes.CDLL(None), self.symbol)


def _kernels(*sources: str) -> Preloaded:
    features = ("f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni")
    return Preloaded("vnni_kernels", ("ggml.hpp", "wide_products.hpp", *sources), features, symbol="llamafile_sgemm")


STATIC_SPLIT = Preloaded("static_split", ("static_split.cpp",), symbol="ggml_is_numa")
MATRIX_KERNELS = _kernels("matrix_kernels.cpp")
ENCODER_KERNELS = _kernels("matrix_kernels.cpp", "layer_kernels.cpp")  # for whisper.cpp's ggml


def environment(params: EngineParams, libraries: Iterable[Preloaded]) -> dict[str, str]:
    """What a process must be started with for the libraries that its parameters ask for."""
    wanted = [str(library.path()) for library in libraries if getattr(params, library.parameter)]
    return {"LD_PRELOAD": ":".join(wanted)} if wanted else {}


def not_loaded(params: EngineParams, libraries: Iterable[Preloaded]) -> dict[str, str]:
    """The parameters whose libraries this process was started without, with what to do."""
    wanted = [library for library in libraries if getattr(params, library.parameter) and not library.is_loaded()]
    return {library.parameter: f"start this process with LD_PRELOAD={library.path()}" for library in wanted}
