"""whisper.cpp through pywhispercpp: speech to text."""

from __future__ import annotations

import importlib.util
import math
import tempfile
from collections.abc import Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import _pywhispercpp as native
import numpy as np
from pywhispercpp.utils import redirect_stderr

from voiceperf.audio import SPEECH_MIN_SAMPLES, SPEECH_RATE_HZ, Samples, as_speech
from voiceperf.engines import compiled, encoder_context, preload
from voiceperf.engines.base import (
    PART,
    Capability,
    Mark,
    Recital,
    Recited,
    Request,
    Transcript,
    Utterance,
    installed_version,
    refuse,
    wrong_request,
)
from voiceperf.engines.encoder_context import Context
from voiceperf.engines.proof import unproven
from voiceperf.engines.whisper_params import PRELOADED, WhisperParams
from voiceperf.engines.whisper_recital import recited
from voiceperf.engines.whisper_text import better, joined, looks_wrong, without_notes
from voiceperf.errors import EngineError, ParameterError
from voiceperf.log import quiet
from voiceperf.models.store import locate
from voiceperf.vad import DETECTOR, SpeechDetector

_MISSED_S = 1.5  # of speech behind the last words: whisper's times are off by less
_LEAST_HEARD_S = 0.5  # by which a further try begins later
_FALLBACK = 0.2  # whisper's own step of temperature, which ends loops
_NO_GPU = "no GPU found"  # in whisper.cpp's log
_GPU_BACKENDS = ("CUDA", "Metal", "METAL", "Vulkan", "SYCL", "HIP")


class WhisperEngine:
    """A loaded whisper model."""

    Params: ClassVar[type[WhisperParams]] = WhisperParams

    def __init__(self, params: WhisperParams) -> None:
        refuse_unsupported(params)
        self.params = params
        self._context = _load(locate(params.model), params)
        self._full_window: Any = None  # a context of its own, once speech needs all of it
        self._detector = SpeechDetector() if params.needs_detector() else None
        strategy = native.whisper_sampling_strategy
        chosen = strategy.WHISPER_SAMPLING_BEAM_SEARCH if params.beam_size else strategy.WHISPER_SAMPLING_GREEDY
        self._full = native.whisper_full_default_params(chosen)
        self._full.n_threads = params.threads("n_threads")
        self._language = params.language  # of the request at hand
        self._full.entropy_thold = params.entropy_thold
        self._full.no_speech_thold = params.no_speech_thold
        self._full.logprob_thold = params.logprob_thold
        self._full.suppress_nst = params.suppress_nst
        self._full.greedy = {"best_of": params.best_of}
        self._full.print_progress = False
        self._full.no_context = True  # a chunk must not depend on the one before it
        if params.initial_prompt:
            self._full.initial_prompt = params.initial_prompt
        if params.beam_size:
            self._full.beam_search = {"beam_size": params.beam_size, "patience": -1.0}

    def prepare(self, request: Request) -> None:
        """Nothing is kept between chunks."""

    def run(self, request: Request, mark: Mark) -> Transcript | Recited:
        if isinstance(request, Recital):
            return self._recite(request)
        if not isinstance(request, Utterance):
            raise ParameterError(wrong_request("whisper", request))
        audio = as_speech(request.audio, SPEECH_RATE_HZ)
        self._language = self._wanted_language(request.language)
        if self.params.is_long(len(audio)):
            return self._hear_pieces(audio, mark)
        if not self._is_speech(audio):
            return Transcript("", 0, None, len(audio) / SPEECH_RATE_HZ)
        return self._without_notes(self._hear(audio))

    def _recite(self, request: Recital) -> Recited:
        """What was said, on what the encoder makes of it under the first try's context."""
        audio = as_speech(request.audio, SPEECH_RATE_HZ)
        context = self.params.context(len(audio))
        wanted = self._wanted_language(request.language)
        self._full.language = language = "en" if wanted == "auto" else wanted
        self._full.audio_ctx, self._full.max_tokens = context.frames, 1  # to encode is enough
        self._full.single_segment = self._full.no_timestamps = True  # once
        self._full.temperature_inc = 0.0
        loaded = self._loaded_for(context)
        with preload.weighed_silence(context) if context.is_weighed else nullcontext():
            status = native.whisper_full(loaded, self._full, audio, audio.size)
            if status != 0:
                raise EngineError(f"whisper.cpp could not encode {len(audio)} samples (status {status})")
            return recited(loaded, request.text, language, self._full.n_threads)

    def _wanted_language(self, asked: str) -> str:
        """The language of one request: what it names, in whisper's code, else the profile's.

        Raises:
            ParameterError: whisper does not know it, or this model hears English alone.
        """
        if not asked:
            return self.params.language
        code = asked.lower().replace("_", "-").split("-", maxsplit=1)[0]
        if code not in self.params.languages():
            known = self.params.languages()
            hears = "English alone" if known == ["en"] else f"{len(known)} languages, by codes such as en"
            raise ParameterError(f"language {asked!r}: {Path(self.params.model).name} hears {hears}")
        return code

    def _is_speech(self, audio: Samples) -> bool:
        threshold = self.params.vad_threshold
        return threshold == 0 or self._detector is None or self._detector.is_speech(audio, threshold)

    def _hear_pieces(self, audio: Samples, mark: Mark) -> Transcript:
        """Long speech: piece by piece, each handed on as it is heard, by timestamps and in full windows."""
        pieces: list[Transcript] = []
        self._full.language = self._language
        for begin, end in self._pieces(audio):
            first = begin
            while first < end:
                piece = _long_enough(audio, first, end)
                heard = self._without_notes(self._transcribe(piece, Context(0), is_long=True))
                first += self._unheard(audio[first:end])
                if heard.text:
                    mark(PART, f"{heard.text} ", min(first, end) / len(audio))
                pieces.append(heard)
        return joined(pieces, len(audio) / SPEECH_RATE_HZ)

    def _unheard(self, piece: Samples) -> int:
        """From where a piece has speech behind the last words that were heard in it; its length where it has none.

        whisper may end a window early, and go on behind it as if nothing had followed.
        """
        loaded = self._loaded_for(Context(0))
        segments = native.whisper_full_n_segments(loaded)
        if self._detector is None or self.params.piece_s == 0 or not segments:
            return len(piece)
        last_s = native.whisper_full_get_segment_t1(loaded, segments - 1) / 100
        begin = int(max(last_s, _LEAST_HEARD_S) * SPEECH_RATE_HZ)
        rest = list(self._detector.pieces(piece[begin:], self.params.piece_s))
        if sum(end - first for first, end in rest) < _MISSED_S * SPEECH_RATE_HZ:
            return len(piece)
        return begin + rest[0][0]

    def _pieces(self, audio: Samples) -> Iterable[tuple[int, int]]:
        if self._detector is None or self.params.piece_s == 0:
            return [(0, len(audio))]
        return self._detector.pieces(audio, self.params.piece_s)

    def _without_notes(self, heard: Transcript) -> Transcript:
        """What was said, and nothing of what merely sounded."""
        return heard if self.params.sound_notes else without_notes(heard)

    def _hear(self, audio: Samples) -> Transcript:
        """Speech that is heard at once, and again with a longer context where the first try looks wrong."""
        if self._language == "auto" and self.params.audio_ctx:
            self._full.language = self._language_of(audio)
        else:
            self._full.language = self._language
        first = self.params.context(len(audio))
        cap = self.params.token_cap(len(audio), self._full.language)
        heard = self._transcribe(audio, first, cap=cap)
        second = encoder_context.plain(self.params.retry_ctx, len(audio)) if self.params.retry_ctx else first
        if second == first or not looks_wrong(heard, self.params, cap):
            return heard
        return better(heard, self._transcribe(audio, second))

    def _transcribe(self, audio: Samples, context: Context, *, is_long: bool = False, cap: int = 0) -> Transcript:
        params = self.params
        self._full.audio_ctx, self._full.max_tokens = context.frames, cap
        self._full.single_segment = params.single_segment and not is_long
        self._full.no_timestamps = params.no_timestamps and not is_long
        self._full.temperature_inc = params.temperature_inc or (_FALLBACK if is_long else 0.0)
        loaded = self._loaded_for(context)
        with preload.weighed_silence(context) if context.is_weighed else nullcontext():
            status = native.whisper_full(loaded, self._full, audio, audio.size)
        if status != 0:
            raise EngineError(f"whisper.cpp could not transcribe {len(audio)} samples (status {status})")
        return _transcript(loaded, audio)

    def _loaded_for(self, context: Context) -> Any:
        """The full window is padded, too, and would see what shorter contexts left: it shares no memory with them."""
        if context.frames or not (self.params.audio_ctx or self.params.retry_ctx):
            return self._context
        if self._full_window is None:
            self._full_window = _load(locate(self.params.model), self.params)
        return self._full_window

    def _language_of(self, audio: Samples) -> str:
        """Told from the full window: by itself whisper.cpp listens with the context of the chunk before."""
        window, threads = self._loaded_for(Context(0)), self._full.n_threads
        native.whisper_pcm_to_mel(window, audio, audio.size, threads)
        probabilities = np.zeros(native.whisper_lang_max_id() + 1, np.float32)
        return str(native.whisper_lang_str(native.whisper_lang_auto_detect(window, 0, threads, probabilities)))

    def kernels(self) -> preload.Kernels:
        return preload.kernels(self.params, PRELOADED)

    def close(self) -> None:
        for loaded in filter(None, (self._context, self._full_window)):
            native.whisper_free(loaded)


def _transcript(loaded: Any, audio: Samples) -> Transcript:
    texts: list[str] = []
    log_probs: list[float] = []
    for segment in range(native.whisper_full_n_segments(loaded)):
        texts.append(native.whisper_full_get_segment_text(loaded, segment).decode(errors="replace"))
        log_probs += [
            math.log(max(native.whisper_full_get_token_p(loaded, segment, token), 1e-9))
            for token in range(native.whisper_full_n_tokens(loaded, segment))
        ]
    probability = math.exp(float(np.mean(log_probs))) if log_probs else None
    return Transcript("".join(texts).strip(), len(log_probs), probability, len(audio) / SPEECH_RATE_HZ)


def _long_enough(audio: Samples, first: int, end: int) -> Samples:
    """A piece of a recording; a very short one takes what lies around it along."""
    missing = max(0, SPEECH_MIN_SAMPLES - (end - first))
    return audio[max(0, first - missing) : end + missing]


def _load(path: Path, params: WhisperParams) -> Any:
    context_params = native.whisper_context_default_params()
    context_params.flash_attn = params.flash_attn
    context_params.use_gpu = params.use_gpu
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with redirect_stderr(to=str(log)):
            context = native.whisper_init_from_file_with_params(str(path), context_params)
        said = log.read_text(errors="replace") if log.exists() else ""
    if params.use_gpu and _NO_GPU in said:  # it would go on without
        raise ParameterError("whisper.use_gpu = True: this build finds no GPU here that it can use; set it to false")
    # the binding wraps a null pointer as if it were a context: only the log tells
    if context is None or "failed to load model" in said:
        raise EngineError(f"whisper.cpp cannot load {path}: not a whole ggml whisper model; pull or convert it again")
    return context


def capabilities() -> list[Capability]:
    """What this build of pywhispercpp can do."""
    with quiet():  # it says which GPUs there are
        build = native.whisper_print_system_info()
    build = build.decode() if isinstance(build, bytes) else str(build)
    gpu = any(backend in build for backend in _GPU_BACKENDS)
    wide = "AVX512 = 1" in build or "NEON = 1" in build
    return [
        Capability(f"pywhispercpp {installed_version('pywhispercpp')}", True),
        Capability("flash attention", True),
        Capability("GPU", gpu, "build pywhispercpp with GGML_CUDA=1 or GGML_METAL=1"),
        Capability("llamafile's products", "LLAMAFILE = 1" in build, "build pywhispercpp with GGML_LLAMAFILE=ON"),
        *(library.capability() for library in PRELOADED),
        Capability("this CPU's widest vectors", wide, "build pywhispercpp from source for this CPU (AVX-512)"),
    ]


def missing(params: WhisperParams) -> dict[str, str]:
    """The parameters that this build and machine have no means for, with the reason."""
    gpu = next(capability for capability in capabilities() if capability.name == "GPU")
    no_gpu = {"use_gpu": f"this build of whisper.cpp has no GPU; {gpu.remedy}"}
    no_attention = preload.ENCODER_KERNELS.unavailable() if params.silence_ctx else None
    return {
        **compiled.missing(params, PRELOADED),
        **(no_gpu if params.use_gpu and not gpu.available else {}),
        **({"silence_ctx": no_attention} if no_attention else {}),
        **_missing_detector(params),
    }


def _missing_detector(params: WhisperParams) -> dict[str, str]:
    wanted = {"vad_threshold": params.vad_threshold, "piece_s": params.piece_s}
    if importlib.util.find_spec(DETECTOR) is not None:
        return {}
    reason = f"finding speech needs {DETECTOR.replace('_', '-')}; pip install 'voiceperf[whisper]'"
    return {name: reason for name, value in wanted.items() if value}


def refuse_unsupported(params: WhisperParams) -> None:
    """Raise ParameterError for a parameter that cannot be followed here."""
    refuse(params, missing(params) or unproven(params, PRELOADED, native.__file__))
    if params.language != "auto" and native.whisper_lang_id(params.language) < 0:
        raise ParameterError(
            f"whisper.language = {params.language!r}: no such language; use a code such as en, or auto"
        )
