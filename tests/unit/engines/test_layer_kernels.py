"""Attention and activation of our own, inside whisper.cpp's ggml and beside it, without a model."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from voiceperf.engines.preload import ENCODER_KERNELS

pytestmark = pytest.mark.skipif(ENCODER_KERNELS.unavailable() is not None, reason=str(ENCODER_KERNELS.unavailable()))

SCRIPT = Path(__file__).with_name("ggml_layers.py")


@pytest.fixture
def by_ggml(tmp_path):
    """(arrays, threads, whether by our kernels) -> what ggml makes of them in a process of its own."""

    def run(given, threads=2, *, ours=True):
        np.savez(tmp_path / "in.npz", **given)
        preloaded = {"LD_PRELOAD": f"{os.environ.get('LD_PRELOAD', '')}:{ENCODER_KERNELS.path()}"} if ours else {}
        command = [sys.executable, str(SCRIPT), str(tmp_path / "in.npz"), str(tmp_path / "out.npz"), str(threads)]
        subprocess.run(command, check=True, env={**os.environ, **preloaded})
        return dict(np.load(tmp_path / "out.npz"))

    return run


def heads_of(heads, queries, keys, size=64):
    rng = np.random.default_rng(queries)
    q = rng.normal(0, 2, (heads, queries, size)).astype(np.float32)
    k, v = (rng.normal(0, 2, (heads, keys, size)).astype(np.float16) for _ in range(2))
    return {"q": q, "k": k, "v": v}


def attention_of(given):
    """The definition, in float64: silent frames count several times, what ggml pads with not at all."""
    q, k, v = (given[name].astype(float) for name in "qkv")
    frames, silent_from, times = given.get("silence", (k.shape[1], 0, 1))
    counts = np.where(np.arange(k.shape[1]) < silent_from, 1, times) * (np.arange(k.shape[1]) < frames)
    scores = np.einsum("hqd,hkd->hqk", q, k) / 8
    weights = np.exp(scores - scores.max(-1, keepdims=True)) * counts
    return np.einsum("hqk,hkd->hqd", weights / weights.sum(-1, keepdims=True), v)


@pytest.mark.parametrize(("heads", "queries", "keys"), [(8, 512, 512), (6, 64, 64), (3, 101, 256), (8, 1500, 1536)])
def test_attention_is_the_definition(by_ggml, heads, queries, keys):
    """Queries in whole groups or not, as many keys as an encoder has: float32's precision, and not ggml's last bits."""
    given = heads_of(heads, queries, keys)
    ours = by_ggml(given)["attention"]
    np.testing.assert_allclose(ours, attention_of(given), rtol=0, atol=2e-5)
    assert (ours != by_ggml(given, ours=False)["attention"]).any()


@pytest.mark.parametrize("queries", [192, 64, 5, 1])
def test_silence_counts_more_and_padding_not_at_all(by_ggml, queries):
    """The encoder's attention and the decoder's: the definition with frames that stand for several, on any threads."""
    given = {**heads_of(6, queries, 256), "silence": (192, 150, 8.5)}
    wanted = attention_of(given)
    given["k"][:, 192:] = given["v"][:, 192:] = np.nan
    ours = by_ggml(given)["weighed"]
    np.testing.assert_allclose(ours, wanted, rtol=0, atol=2e-5)
    np.testing.assert_array_equal(by_ggml(given, 5)["weighed"], ours)


def test_weighing_ends_with_its_chunk(by_ggml):
    """What is computed after a chunk whose silence counted more is as if there had been none."""
    given = heads_of(6, 192, 256)
    after = by_ggml({**given, "silence": (192, 150, 8.5)})["attention"]
    np.testing.assert_array_equal(after, by_ggml(given)["attention"])


def test_weighing_that_attention_never_saw_is_an_error(by_ggml, capfd):
    """Where ggml's own attention is paid instead, as to other heads, nothing is handed on."""
    with pytest.raises(subprocess.CalledProcessError):
        by_ggml({**heads_of(4, 192, 256, size=128), "silence": (192, 150, 8.5)})
    assert "EngineError: whisper.silence_ctx" in capfd.readouterr().err


def test_threads_change_no_bit(by_ggml):
    """One, two or five threads, whose shares cut through heads and groups, give the very same numbers."""
    given = {**heads_of(3, 101, 256), "x": np.linspace(-9, 9, 1003, dtype=np.float32).reshape(1, 1, -1)}
    one, two, five = (by_ggml(given, threads) for threads in (1, 2, 5))
    for name, numbers in one.items():
        np.testing.assert_array_equal(two[name], numbers)
        np.testing.assert_array_equal(five[name], numbers)


def test_activation_is_the_definition(by_ggml):
    """GELU by its tangent, of numbers near and far and of any count, within float32's rounding."""
    x = np.concatenate([np.linspace(-12, 12, 4001), [-300, -40, 40, 300, 0, 1e-20, -1e14, 1e14]]).astype(np.float32)
    exact = x.astype(float) * 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x.astype(float) ** 3)))
    np.testing.assert_allclose(by_ggml({"x": x.reshape(1, 1, -1)})["gelu"].ravel(), exact, rtol=2e-6, atol=1e-6)


def test_activation_of_numbers_that_lie_otherwise_is_left_to_ggml(by_ggml):
    """A permuted source becomes a result in its own order, as without us, bit for bit."""
    given = {"permuted": np.linspace(-3, 3, 5 * 3 * 16, dtype=np.float32).reshape(5, 3, 16)}
    np.testing.assert_array_equal(by_ggml(given)["permuted"], by_ggml(given, ours=False)["permuted"])


@pytest.mark.parametrize("change", ["mask", "few queries", "other heads", "odd keys", "shared keys"])
def test_other_attention_is_left_to_ggml(by_ggml, change):
    """A mask, few queries, other heads, keys outside whole blocks or of several heads: as without us, bit for bit."""
    shape = {"few queries": (8, 5, 256), "odd keys": (4, 128, 250)}.get(change, (4, 128, 256))
    given = heads_of(*shape, size=128 if change == "other heads" else 64)
    if change == "shared keys":
        given |= {name: given[name][:2] for name in "kv"}
    if change == "mask":
        given["mask"] = np.where(np.tri(128, 256, 64), 0, -np.inf).astype(np.float16)[None]
    np.testing.assert_array_equal(by_ggml(given)["attention"], by_ggml(given, ours=False)["attention"])
