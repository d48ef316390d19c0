"""Write a whisper model in the ggml format that whisper.cpp loads, from a CTranslate2 model.

The order of the parts is what `whisper_model_load` in whisper.cpp's `src/whisper.cpp` reads. Matrices and
convolution weights are f16 (or Q8_0 for matrices), all else is f32.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from gguf import GGMLQuantizationType
from gguf.quants import quantize
from numpy.typing import NDArray

from voiceperf.errors import ModelError
from voiceperf.mel import mel_filters
from voiceperf.models.ctranslate2 import CTranslate2Model, read

WeightType = Literal["f16", "q8_0"]

_MAGIC = 0x67676D6C
_HEAD_SIZE = 64  # every whisper model
_SAMPLE_RATE_HZ, _FFT_SIZE = 16_000, 400
# whisper.cpp's `ftype`: 1 is f16; quantised files add 1000 x the quantisation version (2)
_FTYPE = {"f16": 1, "q8_0": 2 * 1000 + 7}
_TOKENS = 50_257  # GPT-2's, its end of text with them; whisper.cpp names the ones above by itself

Tensor = tuple[str, NDArray[Any]]


def convert(model_bin: Path, tokenizer_json: Path, out: Path, weight_type: WeightType) -> None:
    """Write `out` (not atomically: the caller owns the name) from a CTranslate2 whisper model.

    Raises:
        ModelError: the source is damaged or no whisper model.
    """
    source = read(model_bin)
    if source.spec != "WhisperSpec":
        raise ModelError(f"{model_bin}: holds a {source.spec}, not a whisper model")
    tokens = byte_level_tokens(tokenizer_json)
    *sizes, n_mels = _hyperparameters(source)
    with out.open("wb") as file:
        file.write(struct.pack("<I11i", _MAGIC, *sizes, n_mels, _FTYPE[weight_type]))
        filters = mel_filters(_SAMPLE_RATE_HZ, _FFT_SIZE, n_mels)
        file.write(struct.pack("<2i", *filters.shape) + filters.astype("<f4").tobytes())
        file.write(struct.pack("<i", len(tokens)))
        for token in tokens:
            file.write(struct.pack("<I", len(token)) + token)
        for name, data in tensors(source):
            _write_tensor(file, name, data, weight_type)


def _hyperparameters(source: CTranslate2Model) -> tuple[int, ...]:
    """The ten integers before `ftype`, read off the weights' shapes."""
    n_vocab, n_state = source["decoder/embeddings/weight"].shape
    n_audio_ctx, n_audio_state = source["encoder/position_encodings/encodings"].shape
    n_text_ctx = source["decoder/position_encodings/encodings"].shape[0]
    n_mels = source["encoder/conv1/weight"].shape[1]
    audio_layers, text_layers = source.count("encoder/layer_"), source.count("decoder/layer_")
    audio = (n_audio_ctx, n_audio_state, n_audio_state // _HEAD_SIZE, audio_layers)
    text = (n_text_ctx, n_state, n_state // _HEAD_SIZE, text_layers)
    return (n_vocab, *audio, *text, n_mels)


def byte_level_tokens(tokenizer_json: Path) -> list[bytes]:
    """GPT-2's tokens as byte strings, in the order of their ids.

    The file spells each byte as a printable character (the GPT-2 byte-level alphabet).
    """
    try:
        tokenizer = json.loads(tokenizer_json.read_text(encoding="utf-8"))
        by_id = {token_id: token for token, token_id in tokenizer["model"]["vocab"].items()}
        by_id |= {entry["id"]: entry["content"] for entry in tokenizer["added_tokens"]}
        byte_of = {char: byte for byte, char in _byte_alphabet().items()}
        return [bytes(byte_of[char] for char in by_id[token_id]) for token_id in range(_TOKENS)]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{tokenizer_json}: not whisper's tokenizer ({error!r}); pull it again") from None


def _byte_alphabet() -> dict[int, str]:
    """GPT-2's map: printable Latin-1 bytes stand for themselves, the others for U+0100 onwards."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(0x100) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(0x100 + i) for i, byte in enumerate(others)}


def tensors(source: CTranslate2Model) -> Iterator[Tensor]:
    """Every tensor of the model under whisper's own name; fused projections are split."""
    yield "encoder.positional_embedding", source["encoder/position_encodings/encodings"]
    for conv in ("conv1", "conv2"):
        yield f"encoder.{conv}.weight", source[f"encoder/{conv}/weight"]
        yield f"encoder.{conv}.bias", source[f"encoder/{conv}/bias"][:, None]
    for layer in range(source.count("encoder/layer_")):
        yield from _self_attention(source, f"encoder/layer_{layer}", f"encoder.blocks.{layer}")
        yield from _mlp(source, f"encoder/layer_{layer}", f"encoder.blocks.{layer}")
    yield from _norm(source, "encoder/layer_norm", "encoder.ln_post")
    yield "decoder.positional_embedding", source["decoder/position_encodings/encodings"]
    yield "decoder.token_embedding.weight", source["decoder/embeddings/weight"]
    for layer in range(source.count("decoder/layer_")):
        yield from _self_attention(source, f"decoder/layer_{layer}", f"decoder.blocks.{layer}")
        yield from _cross_attention(source, f"decoder/layer_{layer}", f"decoder.blocks.{layer}")
        yield from _mlp(source, f"decoder/layer_{layer}", f"decoder.blocks.{layer}")
    yield from _norm(source, "decoder/layer_norm", "decoder.ln")


def _norm(source: CTranslate2Model, at: str, name: str) -> Iterator[Tensor]:
    yield f"{name}.weight", source[f"{at}/gamma"]
    yield f"{name}.bias", source[f"{at}/beta"]


def _linear(source: CTranslate2Model, at: str, name: str) -> Iterator[Tensor]:
    yield f"{name}.weight", source[f"{at}/weight"]
    yield f"{name}.bias", source[f"{at}/bias"]


def _projections(source: CTranslate2Model, at: str, name: str, parts: tuple[str, ...]) -> Iterator[Tensor]:
    """Split a stack of projections; whisper's keys carry no bias."""
    weights = np.split(source[f"{at}/weight"], len(parts))
    biases = np.split(source[f"{at}/bias"], len(parts))
    for part, weight, bias in zip(parts, weights, biases, strict=True):
        yield f"{name}.{part}.weight", weight
        if part != "key":
            yield f"{name}.{part}.bias", bias


def _self_attention(source: CTranslate2Model, at: str, name: str) -> Iterator[Tensor]:
    yield from _norm(source, f"{at}/self_attention/layer_norm", f"{name}.attn_ln")
    yield from _projections(source, f"{at}/self_attention/linear_0", f"{name}.attn", ("query", "key", "value"))
    yield from _linear(source, f"{at}/self_attention/linear_1", f"{name}.attn.out")


def _cross_attention(source: CTranslate2Model, at: str, name: str) -> Iterator[Tensor]:
    yield from _norm(source, f"{at}/attention/layer_norm", f"{name}.cross_attn_ln")
    yield from _linear(source, f"{at}/attention/linear_0", f"{name}.cross_attn.query")
    yield from _projections(source, f"{at}/attention/linear_1", f"{name}.cross_attn", ("key", "value"))
    yield from _linear(source, f"{at}/attention/linear_2", f"{name}.cross_attn.out")


def _mlp(source: CTranslate2Model, at: str, name: str) -> Iterator[Tensor]:
    yield from _norm(source, f"{at}/ffn/layer_norm", f"{name}.mlp_ln")
    yield from _linear(source, f"{at}/ffn/linear_0", f"{name}.mlp.0")
    yield from _linear(source, f"{at}/ffn/linear_1", f"{name}.mlp.2")


def _write_tensor(file: BinaryIO, name: str, data: NDArray[Any], weight_type: WeightType) -> None:
    """One tensor: rank, length of the name, type, dimensions (fastest first), name, data."""
    is_weight = data.ndim > 1 and not name.endswith((".bias", "positional_embedding"))
    if is_weight and weight_type == "q8_0" and data.ndim == 2:
        kind, payload = GGMLQuantizationType.Q8_0, quantize(data.astype(np.float32), GGMLQuantizationType.Q8_0)
    elif is_weight:
        kind, payload = GGMLQuantizationType.F16, data.astype("<f2")
    else:
        kind, payload = GGMLQuantizationType.F32, data.astype("<f4")
    encoded = name.encode()
    file.write(struct.pack(f"<3i{data.ndim}i", data.ndim, len(encoded), int(kind), *reversed(data.shape)))
    file.write(encoded + np.ascontiguousarray(payload).tobytes())
