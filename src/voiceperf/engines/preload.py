"""Libraries that are preloaded into an engine's process, in front of ggml's own functions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from voiceperf.engines.compiled import Compiled
from voiceperf.errors import ParameterError
from voiceperf.params import EngineParams


@dataclass(frozen=True)
class Preloaded(Compiled):
    """One library; `symbol` is a function of ggml that it replaces."""

    symbol: str = ""

    def is_loaded(self) -> bool:
        """Whether this process was started with it."""
        return hasattr(ctypes.CDLL(None), self.symbol)


def _kernels(*sources: str, symbol: str) -> Preloaded:
    features = ("f16c", "avx512f", "avx512bw", "avx512vl", "avx512_vnni")
    return Preloaded("vnni_kernels", ("ggml.hpp", "wide_products.hpp", *sources), features, symbol)


STATIC_SPLIT = Preloaded("static_split", ("static_split.cpp",), symbol="ggml_is_numa")
MATRIX_KERNELS = _kernels("matrix_kernels.cpp", symbol="llamafile_sgemm")
ENCODER_KERNELS = _kernels(  # for whisper.cpp's ggml
    "matrix_kernels.cpp", "layer_kernels.cpp", symbol="ggml_compute_forward_unary"
)


def weigh_silence() -> Callable[[int, int, float], None]:
    """What tells our attention about the frames of whisper's encoder; see `voiceperf_weigh_silence`."""
    function = ctypes.CDLL(None).voiceperf_weigh_silence
    function.restype, function.argtypes = None, (ctypes.c_int, ctypes.c_int, ctypes.c_float)
    return cast(Callable[[int, int, float], None], function)


def environment(params: EngineParams, libraries: Iterable[Preloaded]) -> dict[str, str]:
    """What a process must be started with for the libraries that its parameters ask for."""
    wanted = [str(library.path()) for library in libraries if getattr(params, library.parameter)]
    if unfit := [path for path in wanted if ":" in path or " " in path]:
        raise ParameterError(
            f"{unfit[0]} cannot be preloaded, because LD_PRELOAD ends a name at a space or colon; let VOICEPERF_CACHE"
            " name a folder without"
        )
    return {"LD_PRELOAD": ":".join(wanted)} if wanted else {}


def not_loaded(params: EngineParams, libraries: Iterable[Preloaded]) -> dict[str, str]:
    """The parameters whose libraries this process was started without, with what to do."""
    wanted = [library for library in libraries if getattr(params, library.parameter) and not library.is_loaded()]
    return {library.parameter: f"start this process with LD_PRELOAD={library.path()}" for library in wanted}
