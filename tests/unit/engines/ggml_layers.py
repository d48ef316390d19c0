"""whisper.cpp's own ggml, asked for one attention or one activation: `python ggml_layers.py in.npz out.npz THREADS`.

It runs in a process of its own, with our kernels preloaded or without.
"""

import ctypes
import sys

import _pywhispercpp
import numpy as np

from voiceperf.engines import preload
from voiceperf.engines.encoder_context import Context
from voiceperf.engines.ggml import Ggml


def main(source, target, threads):
    """Attention of q, k, v (heads, rows, 64), with a mask or weighed silence if given; GELU of x, or permuted."""
    given, made = np.load(source), {}
    with Ggml(_pywhispercpp.__file__, memory_bytes=2**28, threads=threads) as ggml:
        if "x" in given:
            made["gelu"] = ggml.gelu(given["x"])
        if "permuted" in given:
            order = tuple(ctypes.c_int(place) for place in (0, 2, 1, 3))
            view = ggml.of_context("ggml_permute", ggml.tensor(given["permuted"]), also=order)
            shape = given["permuted"].transpose(1, 0, 2).shape
            made["permuted"] = ggml.computed(ggml.of_context("ggml_gelu", view), shape)
        parts = [given[name] for name in ("q", "k", "v", "mask") if name in given]
        if "silence" in given:
            frames, silent_from, times = given["silence"]
            with preload.weighed_silence(Context(int(frames), int(silent_from), float(times))):
                made["weighed"] = ggml.attention(*parts)
        if "q" in given:
            made["attention"] = ggml.attention(*parts)
    np.savez(target, **made)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
