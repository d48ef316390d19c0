"""Kokoro through kokoro-onnx and ONNX Runtime: text to speech."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Sequence
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
from voiceperf.engines import compiled, kokoro_float, kokoro_graph, lexicon
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
from voiceperf.engines.kokoro_params import LEVELS, KokoroParams
from voiceperf.engines.kokoro_voice import load_voice
from voiceperf.engines.pieces import bounded, pieces_of
from voiceperf.engines.read_aloud import Reader
from voiceperf.engines.spoken import spoken, unreadable, without_thoughts
from voiceperf.errors import EngineError, ParameterError
from voiceperf.models.store import locate

_CUDA = "CUDAExecutionProvider"
# ONNX Runtime would let cuDNN try all its convolutions for each new length of text; what cuDNN guesses is not the same
# sound twice (docs/FINDINGS.md)
_PROVIDER_OPTIONS = {_CUDA: {"cudnn_conv_algo_search": "DEFAULT"}}


class KokoroEngine:
    """A loaded voice."""

    Params: ClassVar[type[KokoroParams]] = KokoroParams

    def __init__(self, params: KokoroParams) -> None:
        refuse(params, missing(params))
        self.params = params
        self._voices = {params.voice: load_voice(params.voice)}
        self._lexicon = lexicon.load(params.lexicon)
        self._reader = Reader(params.lang) if params.filter_text else None
        # a process has one speed and model
        self._phrases: LRUCache[tuple[str, str], Samples] = LRUCache(
            params.phrase_cache_mib * 2**20, lambda sound: sound.nbytes
        )
        with tempfile.TemporaryDirectory() as folder:
            self._session = _session(locate(params.model), params, Path(folder))
            # the library wants a voice archive on disk; ours is handed over at each call
            np.savez(Path(folder) / "voices.npz", voice=self._voices[params.voice])
            self._kokoro = kokoro_onnx.Kokoro.from_session(self._session, str(Path(folder) / "voices.npz"))
            self._kokoro.voices = {}

    def prepare(self, request: Request) -> None:
        """Nothing is kept between lines, the last one's end least of all."""
        self._session.options = onnxruntime.RunOptions()

    def stop(self) -> None:
        self._session.options.terminate = True

    def forget(self) -> None:
        self._phrases.clear()

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
        pieces = [self._lexicon.respell(piece) for piece in pieces]
        if self._reader is None:
            return pieces
        if found := [self._reader.read(said) for piece in pieces if (said := spoken(piece, lang))]:
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
            self._voices[name] = load_voice(name)
        return name

    def _said(self, text: str) -> tuple[str, bool]:
        """What the voice is given: the text, or its phonemes where the lexicon has some of them."""
        if not self._lexicon.has_phonemes(text):
            return text, False
        phonemize = self._kokoro.tokenizer.phonemize
        parts = [
            part if is_given else phonemize(part, self.params.lang)
            for part, is_given in self._lexicon.parts(text)
            if part.strip()
        ]
        return " ".join(parts), True

    def _synthesise(self, text: str, voice: str) -> Samples:
        """Untrimmed audio of one text, shape (n,)."""
        if (voice, text) in self._phrases:
            return self._phrases[voice, text]
        try:
            audio: Samples
            said, are_phonemes = self._said(text)
            delivery = (self._voices[voice], self.params.speed, self.params.lang, are_phonemes)
            audio, _ = self._kokoro.create(said, *delivery, trim=False)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"Kokoro cannot speak {text!r}: {error}") from None
        with contextlib.suppress(ValueError):  # larger than the whole cache
            self._phrases[voice, text] = audio
        return audio

    def close(self) -> None:
        del self._kokoro, self._session


class _Session(onnxruntime.InferenceSession):  # type: ignore[misc]  # the library has no types
    """A session whose runs have the options that are set here: another thread can end one between two operators."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.options = onnxruntime.RunOptions()

    def run(self, output_names: Any, input_feed: Any, run_options: Any = None) -> Any:
        return super().run(output_names, input_feed, run_options or self.options)


def joined(sounds: Sequence[Samples], pause: int) -> tuple[Samples, list[tuple[int, int]]]:
    """Sounds with so many samples of silence between them, shape (n,), and where each begins and ends."""
    ends = list(accumulate(len(sound) + pause for sound in sounds))
    places = [(end - pause - len(sound), end - pause) for end, sound in zip(ends, sounds, strict=True)]
    whole = np.zeros(places[-1][1], np.float32)
    for (start, end), sound in zip(places, sounds, strict=True):
        whole[start:end] = sound
    return whole, places


def _session(path: Path, params: KokoroParams, scratch: Path) -> _Session:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = params.threads("intra_op_threads")
    options.inter_op_num_threads = params.inter_op_threads
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[params.graph_level])
    options.log_severity_level = 3  # errors only: its warnings about unused initialisers help nobody
    options.add_session_config_entry("session.intra_op.allow_spinning", str(int(params.spinning)))
    if _CUDA in params.providers:
        with contextlib.suppress(Exception):  # CUDA's libraries may come by pip or by the system; the session tells
            onnxruntime.preload_dlls()
    providers = [(name, _PROVIDER_OPTIONS.get(name, {})) for name in params.providers]
    try:
        model = _model(path, params, options, scratch)
        session = _Session(str(model), options, providers=providers)
        if not set(params.providers) <= set(session.get_providers()):  # one that cannot begin is passed over
            raise ParameterError(
                f"kokoro.providers: {', '.join(params.providers)} cannot begin here; VOICEPERF_LOG=json shows why"
            )
        return session
    except ParameterError:
        raise
    except Exception as error:  # ONNX Runtime raises a class of its own for each status code
        reason = str(error).splitlines()[0]
        raise EngineError(f"ONNX Runtime cannot load {path}: not a whole ONNX model? ({reason})") from None


def _model(path: Path, params: KokoroParams, options: onnxruntime.SessionOptions, scratch: Path) -> Path:
    """What is loaded: the file, or what is made of it."""
    if params.vnni_kernels:
        return _with_operators(path, options, scratch)
    if not params.dequantise:
        return path
    made = kokoro_float.in_floating_point(path)
    if made is None:
        raise ParameterError(f"kokoro.dequantise = True: {path.name} is not quantised; leave it off")
    changed = scratch / path.name  # kokoro-onnx wants to know a session's file
    changed.write_bytes(made)
    return changed


def _with_operators(path: Path, options: onnxruntime.SessionOptions, scratch: Path) -> Path:
    changed = scratch / path.name
    if not kokoro_graph.put_operators(path, changed):
        raise ParameterError(f"kokoro.vnni_kernels = True: {path.name} has no quantised convolutions; leave it off")
    options.register_custom_ops_library(str(kokoro_graph.OPERATORS.path()))
    return changed


def capabilities() -> list[Capability]:
    """What this installation of ONNX Runtime can do."""
    gpu = {_CUDA, "CoreMLExecutionProvider"} & set(onnxruntime.get_available_providers())
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
