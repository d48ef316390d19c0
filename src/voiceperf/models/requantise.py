"""`python -m voiceperf.models.requantise IN OUT TYPE`: requantise a GGUF file with llama.cpp."""

from __future__ import annotations

import ctypes
import sys

import llama_cpp

FILE_TYPES = {
    "q8_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0,
    "q4_1": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_1,
    "q4_0": llama_cpp.LLAMA_FTYPE_MOSTLY_Q4_0,
}


def requantise(original: str, out: str, weight_type: str) -> int:
    """Returns llama.cpp's status, 0 for success."""
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = FILE_TYPES[weight_type]
    params.allow_requantize = True
    return int(llama_cpp.llama_model_quantize(original.encode(), out.encode(), ctypes.byref(params)))


if __name__ == "__main__":
    sys.exit(requantise(*sys.argv[1:4]))
