"""whisper.cpp's own ggml, asked for one attention or one activation: `python ggml_layers.py in.npz out.npz THREADS`.

It runs in a process of its own, with our kernels preloaded or without.
"""

import ctypes
import sys

import _pywhispercpp
import numpy as np

from voiceperf.engines import preload
from voiceperf.engines.encoder_context import Context

NUMBERS = {np.dtype("<f4"): 0, np.dtype("<f2"): 1}  # of ggml's types


class InitParams(ctypes.Structure):
    _fields_ = (("mem_size", ctypes.c_size_t), ("mem_buffer", ctypes.c_void_p), ("no_alloc", ctypes.c_bool))


def function(name, *arguments):
    """One of ggml's functions, as it returns a pointer."""
    found = getattr(ctypes.CDLL(_pywhispercpp.__file__), name)
    found.restype, found.argtypes = ctypes.c_void_p, arguments
    return found


P, I64, F = ctypes.c_void_p, ctypes.c_int64, ctypes.c_float
new_tensor = function("ggml_new_tensor_3d", P, ctypes.c_int, I64, I64, I64)
data_of = function("ggml_get_data", P)


def tensor(context, numbers):
    """A tensor of the array's numbers; ggml names the fastest dimension first."""
    made = new_tensor(context, NUMBERS[numbers.dtype], *reversed(numbers.shape))
    ctypes.memmove(data_of(made), np.ascontiguousarray(numbers).ctypes.data, numbers.nbytes)
    return made


def numbers_of(made, shape):
    """A float32 tensor's numbers."""
    return np.ctypeslib.as_array(ctypes.cast(data_of(made), ctypes.POINTER(F)), shape).copy()


def compute(context, result, threads):
    """Run the graph that ends in `result`."""
    graph = function("ggml_new_graph", P)(context)
    function("ggml_build_forward_expand", P, P)(graph, result)
    function("ggml_graph_compute_with_ctx", P, P, ctypes.c_int)(context, graph, threads)


def attention(context, given, threads):
    """Of q, k and v, with a mask if there is one."""
    mask = tensor(context, given["mask"]) if "mask" in given else None
    parts = [tensor(context, given[name]) for name in "qkv"]
    result = function("ggml_flash_attn_ext", P, P, P, P, P, F, F, F)(context, *parts, mask, 0.125, 0.0, 0.0)
    compute(context, result, threads)
    heads, rows, size = given["q"].shape
    return numbers_of(result, (rows, heads, size)).transpose(1, 0, 2)


def main(source, target, threads):
    """Attention of q, k, v (heads, rows, 64), with a mask or weighed silence if given; GELU of x, or permuted."""
    given, made = np.load(source), {}
    context = function("ggml_init", InitParams)(InitParams(2**28, None, False))
    if "x" in given:
        result = function("ggml_gelu", P, P)(context, tensor(context, given["x"]))
        compute(context, result, threads)
        made["gelu"] = numbers_of(result, given["x"].shape)
    if "permuted" in given:
        order = (ctypes.c_int,) * 4
        view = function("ggml_permute", P, P, *order)(context, tensor(context, given["permuted"]), 0, 2, 1, 3)
        result = function("ggml_gelu", P, P)(context, view)
        compute(context, result, threads)
        made["permuted"] = numbers_of(result, given["permuted"].transpose(1, 0, 2).shape)
    if "silence" in given:
        frames, silent_from, times = given["silence"]
        with preload.weighed_silence(Context(int(frames), int(silent_from), float(times))):
            made["weighed"] = attention(context, given, threads)
    if "q" in given:
        made["attention"] = attention(context, given, threads)
    np.savez(target, **made)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
