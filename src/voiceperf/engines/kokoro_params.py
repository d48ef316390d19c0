"""The parameters of Kokoro on ONNX Runtime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from voiceperf import gpu
from voiceperf.engines.exported import Export, Exported, arguments, left_over
from voiceperf.engines.kokoro_voice import as_code, parts_of
from voiceperf.errors import ParameterError
from voiceperf.models.catalogue import CATALOGUE
from voiceperf.models.store import locate, path_of
from voiceperf.params import ALL_CORES, Delivery, EngineParams, tunable
from voiceperf.roles import SPEAKING

LEVELS = {
    "disabled": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}  # of ONNX Runtime's GraphOptimizationLevel


@dataclass(frozen=True)
class KokoroParams(EngineParams):
    """Everything about Kokoro on ONNX Runtime that is worth tuning."""

    engine: ClassVar[str] = "kokoro"
    role: ClassVar[str] = SPEAKING
    title: ClassVar[str] = "Kokoro-82M"
    home: ClassVar[str] = "https://huggingface.co/hexgrad/Kokoro-82M"
    distributions: ClassVar[tuple[str, ...]] = ("kokoro-onnx", "onnxruntime", "phonemizer", "espeakng-loader",
                                          "onnxruntime-gpu")  # fmt: skip
    thread_names: ClassVar[tuple[str, ...]] = ("intra_op_threads",)

    model: str = tunable("kokoro-v1.0-int8", "catalogue name, or the path of an ONNX file")
    voice: str = tunable(
        "af_heart", "catalogue name, file, file#NAME of an archive, or a blend as af_heart:0.7+bf_emma:0.3"
    )
    speed: float = tunable(1.0, "of speech", low=0.5, high=2.0)
    lang: str = tunable("en-us", "espeak-ng language of the phonemes")
    intra_op_threads: int = tunable(
        ALL_CORES, "threads within one operator; 0: performance cores", low=0, high=256, neutral=True
    )
    inter_op_threads: int = tunable(1, "operators at once", low=1, high=64, neutral=True)
    spinning: bool = tunable(
        True,
        "idle threads spin instead of sleeping: sooner back, but they take a core",
        neutral=True,
        tries=(False, True),
        beside=True,
    )
    graph_level: str = tunable("all", "graph optimisation", choices=LEVELS, tries=("extended", "all"))
    providers: tuple[str, ...] = tunable(
        ("CPUExecutionProvider",),
        "execution providers, best first",
        tries=(
            ("CPUExecutionProvider",),
            ("CUDAExecutionProvider", "CPUExecutionProvider"),
            ("CoreMLExecutionProvider", "CPUExecutionProvider"),
        ),
    )
    dequantise: bool = tunable(
        False, "compute a quantised model in floating point; GPUs have no operators for its integers"
    )
    trim: bool = tunable(True, "cut the silence at both ends")
    by_sentence: bool = tunable(
        False,
        "synthesise sentence by sentence, a long first one from its first clause, so that audio starts sooner",
        tries=(False, True),
        overlaps=True,
    )
    filter_text: bool = tunable(
        True,
        "leave out what is written and not spoken (markup, emoji, pages, letters of other scripts), and read numbers,"
        " dates, times, units and abbreviations as a person does (English)",
    )
    lexicon: str = tunable("", "TOML file of words and how they are said; its values are texts, or /phonemes/")
    pause_s: float = tunable(0.06, "silence between the pieces of by_sentence", low=0.0, high=1.0, unit="s")
    phrase_cache_mib: int = tunable(
        0,
        "keep what recent phrases sound like, the latest used first, up to this size; 0: none",
        low=0,
        high=4096,
        unit="MiB",
        neutral=True,
    )
    vnni_kernels: bool = tunable(
        False,
        "voiceperf's own convolutions, norms and activations (Linux, AVX-512 VNNI, a C++ compiler, a quantised model)",
        tries=(False, True),
    )

    def exports(self) -> dict[str, Export]:
        return {"kokoro-onnx": self._as_kokoro_onnx}

    def _as_kokoro_onnx(self) -> Exported:
        values = {"voice": "voice", "speed": self.speed, "lang": self.lang, "trim": self.trim}
        text = f"""import kokoro_onnx
import numpy as np
import onnxruntime
import soundfile

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = {self.threads("intra_op_threads")}
options.inter_op_num_threads = {self.inter_op_threads}
options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.{LEVELS[self.graph_level]}
options.add_session_config_entry("session.intra_op.allow_spinning", "{int(self.spinning)}")
session = onnxruntime.InferenceSession({str(locate(self.model))!r}, options, providers={list(self.providers)!r})
np.savez("voices.npz", voice={as_code(self.voice)})
kokoro = kokoro_onnx.Kokoro.from_session(session, "voices.npz")
audio, rate_hz = kokoro.create(
    "Good evening.",
{arguments(values)})
soundfile.write("speech.wav", audio, rate_hz)
"""
        taken = ("model", "intra_op_threads", "inter_op_threads", "graph_level", "spinning", "providers", *values)
        return Exported(text, left_over(self, taken))

    def speaker(self) -> tuple[Any, ...]:
        return (self.engine, self.voice, self.lang)

    def files(self) -> list[str]:
        return [*super().files(), *(part.file for part in parts_of(self.voice))]

    def delivery(self) -> Delivery:
        return Delivery(self.lang, self.by_sentence, self.filter_text, self.pause_s)

    def voices(self) -> list[str]:
        """The voices of the catalogue that are here: what a request may name, so that it opens no other file."""
        return [name for name, asset in CATALOGUE.items() if asset.is_voice and path_of(asset).is_file()]

    def check(self) -> None:
        if self.dequantise and self.vnni_kernels:
            raise ParameterError("kokoro.dequantise = True: leaves no integers for vnni_kernels; take one of both")

    def safer(self) -> list[dict[str, Any]]:
        """ONNX Runtime's own operators, then whole replies."""
        return [{"vnni_kernels": False}, {"by_sentence": False}]


def is_built_for_cuda() -> bool:
    """Whether the installed ONNX Runtime has NVIDIA's execution provider."""
    return bool(gpu.files_of("onnxruntime", "capi/*providers_cuda*"))
