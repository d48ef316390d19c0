"""Preloaded libraries: where they can be had, and what our kernels compute, without a model."""

import ctypes
import os
import subprocess
import sys

import numpy as np
import pytest

from voiceperf.engines import preload
from voiceperf.engines.base import refuse
from voiceperf.engines.llama import LlamaParams
from voiceperf.engines.preload import MATRIX_KERNELS, STATIC_SPLIT
from voiceperf.engines.whisper import WhisperParams
from voiceperf.errors import ParameterError

BOTH = (STATIC_SPLIT, MATRIX_KERNELS)

# ggml's blocks of 32 values, and its numbers for the types
Q8_0 = np.dtype([("scale", "<f2"), ("values", "i1", 32)])
Q8_1 = np.dtype([("scale", "<f2"), ("sum", "<f2"), ("values", "i1", 32)])
Q4_1 = np.dtype([("scale", "<f2"), ("least", "<f2"), ("values", "u1", 16)])
NUMBERS = {Q4_1: 3, Q8_0: 8, Q8_1: 9}


@pytest.mark.parametrize("params", [LlamaParams(static_split=True), WhisperParams(vnni_kernels=True)])
def test_library_must_be_preloaded(monkeypatch, tmp_path, params, one_line):
    """In a process that was started without it, the parameter is refused with what to set."""
    monkeypatch.setattr(preload.Preloaded, "is_loaded", lambda self: False)
    monkeypatch.setattr(preload.Preloaded, "path", lambda self: tmp_path / "library.so")
    libraries = BOTH if isinstance(params, LlamaParams) else [MATRIX_KERNELS]
    with pytest.raises(ParameterError) as caught:
        refuse(params, preload.not_loaded(params, libraries))
    one_line(caught.value, f"{params.engine}.", "LD_PRELOAD")


def test_process_is_started_with_what_is_asked_for(monkeypatch, tmp_path):
    """Both libraries stand in one variable; without either there is none."""
    monkeypatch.setattr(preload.Preloaded, "path", lambda self: tmp_path / self.parameter)
    both = preload.environment(LlamaParams(static_split=True, vnni_kernels=True), BOTH)
    assert both == {"LD_PRELOAD": f"{tmp_path}/static_split:{tmp_path}/vnni_kernels"}
    assert preload.environment(LlamaParams(), BOTH) == {}


def test_a_cache_that_cannot_be_preloaded_from_is_named(monkeypatch, tmp_path, one_line):
    """LD_PRELOAD ends a name at a space: such a folder is refused with the remedy, not passed over by the loader."""
    monkeypatch.setattr(preload.Preloaded, "path", lambda self: tmp_path / "my cache" / "library.so")
    with pytest.raises(ParameterError) as caught:
        preload.environment(LlamaParams(static_split=True), BOTH)
    one_line(caught.value, "my cache", "VOICEPERF_CACHE")


def test_one_engines_kernels_are_not_taken_for_the_others():
    """Each is told by a function that only it replaces: llama's products alone are not whisper's kernels."""
    if reason := MATRIX_KERNELS.unavailable():
        pytest.skip(reason)
    script = "from voiceperf.engines.preload import *; print(MATRIX_KERNELS.is_loaded(), ENCODER_KERNELS.is_loaded())"
    preloaded = {**os.environ, "LD_PRELOAD": f"{os.environ.get('LD_PRELOAD', '')}:{MATRIX_KERNELS.path()}"}
    done = subprocess.run([sys.executable, "-c", script], env=preloaded, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False"]


def test_static_split_answers_in_ggmls_place():
    """Asked whether this machine has several NUMA nodes, the library says yes."""
    if reason := STATIC_SPLIT.unavailable():
        pytest.skip(reason)
    is_numa = ctypes.CDLL(str(STATIC_SPLIT.path())).ggml_is_numa
    is_numa.restype = ctypes.c_bool
    assert is_numa() is True


@pytest.fixture(scope="module")
def multiply():
    """`llamafile_sgemm` of our kernels as (weights, activations, share) -> float32 of shape (columns, rows)."""
    if reason := MATRIX_KERNELS.unavailable():
        pytest.skip(reason)
    sgemm = ctypes.CDLL(str(MATRIX_KERNELS.path())).llamafile_sgemm
    sgemm.restype = ctypes.c_bool

    def run(weights, activations, share=(0, 1), out=None):
        (rows, blocks), columns = weights.shape, len(activations)
        out = np.full((columns, rows), np.nan, np.float32) if out is None else out
        sizes = [ctypes.c_int64(n) for n in (rows, columns, blocks)]
        places = [(ctypes.c_void_p(a.ctypes.data), ctypes.c_int64(s)) for a, s in (
            (weights, blocks), (activations, blocks), (out, rows))]  # fmt: skip
        types = [NUMBERS[weights.dtype], NUMBERS[activations.dtype], 0]
        done = sgemm((ctypes.c_int * 2)(*share), *sizes, *sum(places, ()), *types)
        return out if done else None

    return run


def blocks_of(kind, rows, blocks, rng):
    made = np.zeros((rows, blocks), kind)
    made["scale"] = rng.uniform(0.001, 0.02, made.shape)
    if kind is Q4_1:
        made["least"] = -rng.uniform(0.001, 0.2, made.shape)
        made["values"] = rng.integers(0, 256, made["values"].shape)
    else:
        made["values"] = rng.integers(-127, 128, made["values"].shape)
    if kind is Q8_1:
        made["sum"] = made["scale"].astype(float) * made["values"].sum(-1, dtype=int)
    return made


def numbers_of(made):
    """What the blocks stand for, shape (rows, blocks, 32)."""
    values, scale = made["values"].astype(float), made["scale"].astype(float)[..., None]
    if made.dtype != Q4_1:
        return values * scale
    halves = np.concatenate([made["values"] & 15, made["values"] >> 4], axis=-1)
    return halves * scale + made["least"].astype(float)[..., None]


def product_of(weights, activations):
    """The definition: with Q4_1, the least value meets the stored sum, rounded to half precision as it is."""
    exact = np.einsum("rbk,cbk->cr", numbers_of(weights), numbers_of(activations))
    if weights.dtype != Q4_1:
        return exact
    error = activations["sum"].astype(float) - numbers_of(activations).sum(-1)
    return exact + np.einsum("rb,cb->cr", weights["least"].astype(float), error)


MANY = 16  # columns, from which matrices are multiplied another way
SHAPES = [(1, 1, 1), (5, 3, 3), (576, 1, 18), (192, 7, 18), (33, 6, 5), (70, 2, 7), (64, 25, 16)]
SHAPES += [(1, MANY, 1), (70, 37, 5), (512, 48, 16)]


@pytest.mark.parametrize(("weights", "activations"), [(Q8_0, Q8_0), (Q4_1, Q8_1)], ids=["Q8_0", "Q4_1"])
@pytest.mark.parametrize("shape", SHAPES)
def test_kernels_multiply(multiply, weights, activations, shape):
    """Every shape, whole groups of blocks or not, comes out as the definition says, to float32's precision."""
    rows, columns, blocks = shape
    rng = np.random.default_rng(rows)
    a, b = blocks_of(weights, rows, blocks, rng), blocks_of(activations, columns, blocks, rng)
    wanted = product_of(a, b)
    np.testing.assert_allclose(multiply(a, b), wanted, rtol=0, atol=1e-6 * np.abs(wanted).max() + 1e-5)


@pytest.mark.parametrize(("weights", "activations"), [(Q8_0, Q8_0), (Q4_1, Q8_1)], ids=["Q8_0", "Q4_1"])
@pytest.mark.parametrize("shape", SHAPES)
def test_how_the_work_is_divided_changes_no_bit(multiply, weights, activations, shape):
    """Three threads, or columns by themselves as far as they are multiplied one way, give the very same numbers."""
    rows, columns, blocks = shape
    rng = np.random.default_rng(columns)
    a, b = blocks_of(weights, rows, blocks, rng), blocks_of(activations, columns, blocks, rng)
    whole, shared = multiply(a, b), np.full((columns, rows), np.nan, np.float32)
    for thread in range(3):
        multiply(a, b, (thread, 3), shared)
    np.testing.assert_array_equal(shared, whole)
    alone = MANY if columns >= MANY else 1
    parts = [multiply(a, b[min(j, columns - alone) :][:alone]) for j in range(columns)]
    np.testing.assert_array_equal(np.vstack([part[j - min(j, columns - alone)] for j, part in enumerate(parts)]), whole)


def test_other_types_are_left_to_ggml(multiply):
    """What the kernels do not know is declined, where no ggml stands behind them."""
    rng = np.random.default_rng(0)
    assert multiply(blocks_of(Q4_1, 4, 2, rng), blocks_of(Q8_0, 4, 2, rng)) is None
