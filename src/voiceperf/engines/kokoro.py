"""Kokoro through kokoro-onnx and ONNX Runtime: text to speech."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, ClassVar

import kokoro_onnx
import numpy as np
import onnxruntime
from cachetools import LRUCache
from kokoro_onnx.config import SAMPLE_RATE
from kokoro_onnx.trim import trim

from voiceperf.audio import Samples
from voiceperf.engines import compiled, kokoro_graph
from voiceperf.engines.base import (
    FIRST_AUDIO,
    Capability,
    Line,
    Mark,
    Piece,
    Request,
    Speech,
    installed_version,
    refuse,
    wrong_request,
)
from voiceperf.engines.exported import Export, Exported, arguments, left_over
from voiceperf.engines.pieces import bounded, pieces_of
from voiceperf.engines.spoken import spoken, unreadable, without_thoughts
from voiceperf.errors import EngineError, ParameterError
from voiceperf.models.catalogue import CATALOGUE
from voiceperf.models.store import locate, path_of
from voiceperf.params import ALL_CORES, Delivery, EngineParams, tunable
from voiceperf.roles import SPEAKING

_LEVELS = {
    "disabled": onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL,
    "basic": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "extended": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "all": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
_VOICE_SHAPE = (510, 1, 256)  # a style vector for each count of phonemes


@dataclass(frozen=True)
class KokoroParams(EngineParams):
    """Everything about Kokoro on ONNX Runtime that is worth tuning."""

    engine: ClassVar[str] = "kokoro"
    role: ClassVar[str] = SPEAKING
    title: ClassVar[str] = "Kokoro-82M"
    home: ClassVar[str] = "https://huggingface.co/hexgrad/Kokoro-82M"
    distributions: ClassVar[tuple[str, ...]] = ("kokoro-onnx", "onnxruntime", "phonemizer", "espeakng-loader")
    thread_names: ClassVar[tuple[str, ...]] = ("intra_op_threads",)

    model: str = tunable("kokoro-v1.0-int8", "catalogue name, or the path of an ONNX file")
    voice: str = tunable("af_heart", "catalogue name, or the path of a raw float32 style file")
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
    graph_level: str = tunable("all", "graph optimisation", choices=_LEVELS, tries=("extended", "all"))
    providers: tuple[str, ...] = tunable(
        ("CPUExecutionProvider",),
        "execution providers, best first",
        tries=(
            ("CPUExecutionProvider",),
            ("CUDAExecutionProvider", "CPUExecutionProvider"),
            ("CoreMLExecutionProvider", "CPUExecutionProvider"),
        ),
    )
    trim: bool = tunable(True, "cut the silence at both ends")
    by_sentence: bool = tunable(
        False,
        "synthesise sentence by sentence, a long first one from its first clause, so that audio starts sooner",
        tries=(False, True),
        overlaps=True,
    )
    filter_text: bool = tunable(
        True, "leave out what is written and not spoken: markup, emoji, addresses of pages, letters of other scripts"
    )
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
options.graph_optimization_level = onnxruntime.{_LEVELS[self.graph_level]}
options.add_session_config_entry("session.intra_op.allow_spinning", "{int(self.spinning)}")
session = onnxruntime.InferenceSession({str(locate(self.model))!r}, options, providers={list(self.providers)!r})
np.savez("voices.npz", voice=np.fromfile({str(locate(self.voice))!r}, "<f4").reshape({_VOICE_SHAPE}))
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

    def delivery(self) -> Delivery:
        return Delivery(self.lang, self.by_sentence, self.filter_text, self.pause_s)

    def voices(self) -> list[str]:
        """The voices of the catalogue that are here: what a request may name, so that it opens no other file."""
        return [name for name, asset in CATALOGUE.items() if asset.is_voice and path_of(asset).is_file()]

    def safer(self) -> list[dict[str, Any]]:
        """ONNX Runtime's own operators, then whole replies."""
        return [{"vnni_kernels": False}, {"by_sentence": False}]


class KokoroEngine:
    """A loaded voice."""

    Params: ClassVar[type[KokoroParams]] = KokoroParams

    def __init__(self, params: KokoroParams) -> None:
        refuse(params, missing(params))
        self.params = params
        self._voices = {params.voice: load_voice(locate(params.voice))}
        # a process has one speed and model
        self._phrases: LRUCache[tuple[str, str], Samples] = LRUCache(
            params.phrase_cache_mib * 2**20, lambda sound: sound.nbytes
        )
        with tempfile.TemporaryDirectory() as folder:
            session = _session(locate(params.model), params, Path(folder))
            # the library wants a voice archive on disk; ours is handed over at each call
            np.savez(Path(folder) / "voices.npz", voice=self._voices[params.voice])
            self._kokoro = kokoro_onnx.Kokoro.from_session(session, str(Path(folder) / "voices.npz"))
            self._kokoro.voices = {}

    def prepare(self, request: Request) -> None:
        """Nothing is kept between lines."""

    def run(self, request: Request, mark: Mark) -> Speech:
        if not isinstance(request, Line):
            raise ParameterError(wrong_request("kokoro", request))
        if not request.text.strip():
            raise ParameterError("there is no text to speak")
        texts, voice = self._texts(request.text), self._voice_of(request.voice)
        sounds: list[Samples] = []
        for text in texts:
            sounds.append(self._synthesise(text, voice))
            if len(sounds) == 1:
                mark(FIRST_AUDIO)
        audio_s = sum(map(len, sounds)) / SAMPLE_RATE
        heard = [trim(sound)[0] for sound in sounds]
        if self.params.trim or len(sounds) > 1:
            sounds = heard
        audio, places = joined(sounds, round(self.params.pause_s * SAMPLE_RATE))
        pieces = tuple(Piece(text, *place) for text, place in zip(texts, places, strict=True))
        return Speech(audio, SAMPLE_RATE, audio_s, sum(map(len, heard)) / SAMPLE_RATE, pieces)

    def _texts(self, text: str) -> list[str]:
        """What is synthesised at once, as it is spoken."""
        lang = self.params.lang
        if self.params.filter_text:
            text = without_thoughts(text)
        pieces = pieces_of(text, lang) if self.params.by_sentence else bounded(text)
        if not self.params.filter_text:
            return pieces
        if found := [said for piece in pieces if (said := spoken(piece, lang))]:
            return found
        if words := unreadable(text, lang):
            raise ParameterError(
                f"kokoro.lang = {lang!r} cannot read {' '.join(words)[:40]!r}: its letters are of another script;"
                " choose a voice and a lang of that language"
            )
        raise ParameterError(f"there is nothing to speak in {text.strip()[:40]!r}")

    def _voice_of(self, asked: str) -> str:
        """The name of one request's voice, read when it is first asked for.

        Raises:
            ParameterError: there is no such voice here.
        """
        name = asked or self.params.voice
        if name not in self._voices:
            if name not in (known := self.params.voices()):
                raise ParameterError(f"no voice {name!r}: there are {', '.join(sorted({*self._voices, *known}))}")
            self._voices[name] = load_voice(locate(name))
        return name

    def _synthesise(self, text: str, voice: str) -> Samples:
        """Untrimmed audio of one text, shape (n,)."""
        if (voice, text) in self._phrases:
            return self._phrases[voice, text]
        try:
            audio: Samples
            audio, _ = self._kokoro.create(text, self._voices[voice], self.params.speed, self.params.lang, trim=False)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"Kokoro cannot speak {text!r}: {error}") from None
        with contextlib.suppress(ValueError):  # larger than the whole cache
            self._phrases[voice, text] = audio
        return audio

    def close(self) -> None:
        del self._kokoro


def joined(sounds: Sequence[Samples], pause: int) -> tuple[Samples, list[tuple[int, int]]]:
    """Sounds with so many samples of silence between them, shape (n,), and where each begins and ends."""
    ends = list(accumulate(len(sound) + pause for sound in sounds))
    places = [(end - pause - len(sound), end - pause) for end, sound in zip(ends, sounds, strict=True)]
    whole = np.zeros(places[-1][1], np.float32)
    for (start, end), sound in zip(places, sounds, strict=True):
        whole[start:end] = sound
    return whole, places


def load_voice(path: Path) -> Samples:
    """Read a raw float32 style file.

    Raises:
        EngineError: it does not have a voice's size.
    """
    raw = np.fromfile(path, dtype="<f4")
    if raw.size != np.prod(_VOICE_SHAPE):
        raise EngineError(f"{path}: not a Kokoro voice ({raw.size} numbers, {np.prod(_VOICE_SHAPE)} wanted)")
    return raw.reshape(_VOICE_SHAPE)


def _session(path: Path, params: KokoroParams, scratch: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = params.threads("intra_op_threads")
    options.inter_op_num_threads = params.inter_op_threads
    options.graph_optimization_level = _LEVELS[params.graph_level]
    options.log_severity_level = 3  # errors only: its warnings about unused initialisers help nobody
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(params.spinning)))
    try:
        model = _with_operators(path, options, scratch) if params.vnni_kernels else path
        return onnxruntime.InferenceSession(str(model), options, providers=list(params.providers))
    except ParameterError:
        raise
    except Exception as error:  # ONNX Runtime raises a class of its own for each status code
        reason = str(error).splitlines()[0]
        raise EngineError(f"ONNX Runtime cannot load {path}: not a whole ONNX model? ({reason})") from None


def _with_operators(path: Path, options: onnxruntime.SessionOptions, scratch: Path) -> Path:
    changed = scratch / path.name
    if not kokoro_graph.put_operators(path, changed):
        raise ParameterError(f"kokoro.vnni_kernels = True: {path.name} has no quantised convolutions; leave it off")
    options.register_custom_ops_library(str(kokoro_graph.OPERATORS.path()))
    return changed


def capabilities() -> list[Capability]:
    """What this installation of ONNX Runtime can do."""
    gpu = {"CUDAExecutionProvider", "CoreMLExecutionProvider"} & set(onnxruntime.get_available_providers())
    return [
        Capability(f"kokoro-onnx {installed_version('kokoro-onnx')}", True),
        Capability(f"onnxruntime {onnxruntime.__version__}", True),
        Capability("GPU", bool(gpu), "install onnxruntime-gpu (NVIDIA); on Apple the plain wheel has CoreML"),
        Capability("OpenVINO", installed_version("openvino") is not None, "pip install openvino"),
        kokoro_graph.OPERATORS.capability(),
    ]


def missing(params: KokoroParams) -> dict[str, str]:
    """The parameters that this installation and machine have no means for, with the reason."""
    found = compiled.missing(params, [kokoro_graph.OPERATORS])
    available = onnxruntime.get_available_providers()
    if not set(params.providers) <= set(available):
        found["providers"] = f"this ONNX Runtime has {', '.join(available)}"
    return found
