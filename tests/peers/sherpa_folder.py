"""Our Kokoro as sherpa-onnx reads it: the same weights with its metadata, one voice, and the symbols it knows."""

import json
import shutil
from pathlib import Path

import kokoro_onnx.config
import onnx

from voiceperf import places
from voiceperf.engines.kokoro import KokoroParams
from voiceperf.models.store import locate

METADATA = {
    "model_type": "kokoro",
    "version": 2,
    "sample_rate": 24_000,
    "language": "English",
    "has_espeak": 1,
    "voice": "en-us",
    "n_speakers": 1,
    "style_dim": "510,1,256",
    "max_token_len": 510,
    "speaker_names": "af_heart",
    "id2speaker": "0->af_heart",
    "speaker2id": "af_heart->0",
}


def made():
    """The folder, written once."""
    folder = places.cache_dir() / "peers" / "kokoro-sherpa"
    if folder.is_dir():
        return folder
    part = folder.with_suffix(".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    model = onnx.load(locate(KokoroParams().model))
    onnx.helper.set_model_props(model, {name: str(value) for name, value in METADATA.items()})
    onnx.save(model, part / "model.onnx")
    vocabulary = json.loads((Path(kokoro_onnx.config.__file__).parent / "config.json").read_text(encoding="utf-8"))
    symbols = "".join(f"{symbol} {number}\n" for symbol, number in vocabulary["vocab"].items())
    (part / "tokens.txt").write_text(symbols, encoding="utf-8")
    shutil.copy(locate(KokoroParams().voice), part / "voices.bin")
    part.rename(folder)
    return folder
