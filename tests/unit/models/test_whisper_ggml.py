"""Converting whisper models: what whisper.cpp itself makes of small ones whose weights are left to chance."""

import json
import struct
from itertools import product

import _pywhispercpp as native
import numpy as np
import pytest

from voiceperf.models import whisper_ggml
from voiceperf.models.ctranslate2 import CTranslate2Model

STATE, TEXT, FRAMES, LAYERS, VOCABULARY = 64, 32, 1500, 4, 51_865  # whisper.cpp knows models by their layers
RNG = np.random.default_rng(0)


def weights(n_mels):
    """Layers of one head, under CTranslate2's names."""
    found = {}

    def put(name, *shape):
        found[name] = RNG.normal(0, 0.05, shape).astype(np.float32)

    def linear(at, outputs, inputs):
        put(f"{at}/weight", outputs, inputs)
        put(f"{at}/bias", outputs)

    def norm(at):
        put(f"{at}/gamma", STATE)
        put(f"{at}/beta", STATE)

    for at in (f"{role}/layer_{layer}" for role in ("encoder", "decoder") for layer in range(LAYERS)):
        for part in ("self_attention", "ffn"):
            norm(f"{at}/{part}/layer_norm")
        linear(f"{at}/self_attention/linear_0", 3 * STATE, STATE)
        linear(f"{at}/self_attention/linear_1", STATE, STATE)
        linear(f"{at}/ffn/linear_0", 4 * STATE, STATE)
        linear(f"{at}/ffn/linear_1", STATE, 4 * STATE)
        if at.startswith("decoder"):
            norm(f"{at}/attention/layer_norm")
            for number, outputs in enumerate((STATE, 2 * STATE, STATE)):
                linear(f"{at}/attention/linear_{number}", outputs, STATE)
    for role in ("encoder", "decoder"):
        norm(f"{role}/layer_norm")
    put("encoder/conv1/weight", STATE, n_mels, 3)
    put("encoder/conv2/weight", STATE, STATE, 3)
    put("encoder/conv1/bias", STATE)
    put("encoder/conv2/bias", STATE)
    put("encoder/position_encodings/encodings", FRAMES, STATE)
    put("decoder/position_encodings/encodings", TEXT, STATE)
    put("decoder/embeddings/weight", VOCABULARY, STATE)
    return CTranslate2Model("WhisperSpec", found)


def tokenizer(path):
    """50,257 byte-level tokens: three that whisper.cpp looks for, then bytes, pairs and triples of them."""
    letters = [chr(code) for code in range(0x21, 0x7F)]
    names = ("".join(some) for size in (1, 2, 3) for some in product(letters, repeat=size))
    names = ["\u0120", "\u0120-", "\u0120'", *names]
    vocabulary = {name: number for number, name in enumerate(names[:50_257])}
    path.write_text(json.dumps({"model": {"vocab": vocabulary}, "added_tokens": []}))
    return path


@pytest.mark.parametrize("weight_type", ["f16", "q8_0"])
@pytest.mark.parametrize("n_mels", [80, 128])
def test_whisper_cpp_loads_and_runs_what_was_converted(tmp_path, monkeypatch, n_mels, weight_type):
    """A model with whisper's 80 bands, and one with the 128 of its third large model, whose filters are as many."""
    monkeypatch.setattr(whisper_ggml, "read", lambda _: weights(n_mels))
    made = tmp_path / "small.bin"
    whisper_ggml.convert(tmp_path / "model.bin", tokenizer(tmp_path / "tokenizer.json"), made, weight_type)
    assert struct.unpack("<2i", made.read_bytes()[48:56]) == (n_mels, 201)  # whisper.cpp reads on where it has fewer
    context = native.whisper_init_from_file_with_params(str(made), native.whisper_context_default_params())
    assert native.whisper_model_n_mels(context) == n_mels
    params = native.whisper_full_default_params(native.whisper_sampling_strategy.WHISPER_SAMPLING_GREEDY)
    params.n_threads, params.print_progress, params.max_tokens = 1, False, 4
    sound = RNG.normal(0, 0.1, 16_000).astype(np.float32)
    assert native.whisper_full(context, params, sound, sound.size) == 0
    assert native.whisper_n_len(context) > 0
