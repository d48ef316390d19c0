"""whisper.cpp through pywhispercpp: speech to text."""

from __future__ import annotations

import math
import re
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import _pywhispercpp as native
import numpy as np
from pywhispercpp.utils import redirect_stderr

from voiceperf.audio import SPEECH_RATE_HZ, Samples, as_speech
from voiceperf.engines import compiled, encoder_context, preload
from voiceperf.engines.base import (
    ALL_CORES,
    IDLE_SPINS,
    LIBRARY_DEFAULT,
    Capability,
    Mark,
    Request,
    Transcript,
    Utterance,
    idle_environment,
    installed_version,
    refuse,
    resolve_threads,
    wrong_request,
)
from voiceperf.engines.encoder_context import FULL, Context
from voiceperf.errors import EngineError, ParameterError
from voiceperf.loops import is_loop
from voiceperf.models.store import locate
from voiceperf.params import EngineParams, tunable

PRELOADED = (preload.ENCODER_KERNELS,)
_LONG_CONTEXT = 1024  # nearly all that the full window hears (FINDINGS.md)
_MIN_TOKENS = 8  # the least a token cap allows: a one-word answer with its punctuation and timestamps
_NOTES = re.compile(r"\[[^\]]*\]|\([^)]*\)")  # what whisper writes of sounds: [BLANK_AUDIO], (laughs)
_GPU_BACKENDS = ("CUDA", "Metal", "METAL", "Vulkan", "SYCL", "HIP")


@dataclass(frozen=True)
class WhisperParams(EngineParams):
    """Everything about whisper.cpp that is worth tuning."""

    engine: ClassVar[str] = "whisper"
    thread_names: ClassVar[tuple[str, ...]] = ("n_threads",)

    model: str = tunable(
        "whisper-base-f16",
        "catalogue name, or the path of a ggml file",
        tries=("whisper-base-f16", "whisper-base-q8_0"),
    )
    n_threads: int = tunable(ALL_CORES, "threads; 0: one for each performance core", low=0, high=256, neutral=True)
    idle_spins: int = tunable(
        LIBRARY_DEFAULT, IDLE_SPINS, low=-1, high=10**9, neutral=True, tries=(-1, 3000), beside=True
    )
    flash_attn: bool = tunable(
        True, "fused attention: a context parameter, so it needs a fresh load", tries=(False, True)
    )
    use_gpu: bool = tunable(False, "run on the GPU this build was made for", tries=(False, True))
    audio_ctx: int = tunable(
        0,
        "shortest encoder context; longer speech gets as many steps of 256 as it needs; 0: always the full 30 s",
        low=0,
        high=FULL,
        unit="frames of 20 ms",
        tries=(0, 256, 512, 768, 1024),
    )
    silence_ctx: int = tunable(
        0,
        "instead of audio_ctx compute the speech and a little silence, which attention counts as if it went on to this"
        " frame; by the attention of vnni_kernels alone, with flash_attn; 0: compute audio_ctx",
        low=0,
        high=FULL,
        unit="frames of 20 ms",
        tries=(0, 768),
    )
    retry_ctx: int = tunable(
        0,
        "encoder context of a second try where the first looks wrong: no words, a loop, cut short or unlikely; 0: none",
        low=0,
        high=FULL,
        unit="frames of 20 ms",
        tries=(0, 1024),
    )
    retry_probability: float = tunable(0.3, "a transcript less likely than this is tried again", low=0.0, high=1.0)
    language: str = tunable("en", "language code, or auto, which takes a full window more a chunk")
    max_tokens_per_s: float = tunable(
        0.0,
        "bound a transcript in proportion to the speech, which ends loops; 0: unbounded",
        low=0.0,
        high=100.0,
        tries=(0.0, 10.0),
    )
    single_segment: bool = tunable(False, "one segment a chunk, no seeking", tries=(False, True))
    no_timestamps: bool = tunable(False, "decode text only", tries=(False, True))
    temperature_inc: float = tunable(
        0.2, "step of the temperature fallback; 0: none", low=0.0, high=1.0, tries=(0.0, 0.2)
    )
    entropy_thold: float = tunable(2.4, "a transcript more repetitive than this is decoded again", low=0.0, high=10.0)
    beam_size: int = tunable(0, "beams; 0: greedy", low=0, high=8, tries=(0, 2))
    best_of: int = tunable(5, "candidates of the temperature fallback (it changes nothing else)", low=1, high=8)
    initial_prompt: str = tunable("", "text that tells the decoder what to expect")
    vnni_kernels: bool = tunable(
        False,
        "voiceperf's own products of quantised matrices, attention and activation (Linux, AVX-512 VNNI, a C++ compiler,"
        " and a build with llamafile's products, which set-up makes)",
        tries=(False, True),
    )

    def safer(self) -> list[dict[str, Any]]:
        """All the silence, a longer context, then the full one; then whisper.cpp's own products."""
        all_silence: dict[str, Any] = {"silence_ctx": 0} if self.silence_ctx else {}
        contexts = [0] if self.audio_ctx >= _LONG_CONTEXT else [_LONG_CONTEXT, 0]
        longer: list[dict[str, Any]] = (
            [{"audio_ctx": frames, "retry_ctx": 0} for frames in contexts] if self.audio_ctx else []
        )
        return [all_silence | step for step in ({}, *longer, {"vnni_kernels": False}) if all_silence | step]

    def context(self, samples: int) -> Context:
        """What the first try at a chunk of so many samples computes."""
        by_ours = self.vnni_kernels and self.flash_attn and not self.use_gpu
        weighed = encoder_context.weighed(self.silence_ctx, samples) if by_ours and self.audio_ctx else None
        return weighed or encoder_context.plain(self.audio_ctx, samples)

    def environment(self) -> dict[str, str]:
        return preload.environment(self, PRELOADED) | idle_environment(self.idle_spins)

    def check(self) -> None:
        for name in ("audio_ctx", "retry_ctx"):
            frames = getattr(self, name)
            if self.flash_attn and frames % encoder_context.STEP:
                raise ParameterError(
                    f"whisper.{name} = {frames}: with flash_attn it must be a multiple of {encoder_context.STEP},"
                    " or transcripts depend on earlier calls; round it up or turn flash_attn off"
                )
        if 0 < self.retry_ctx <= self.audio_ctx:
            raise ParameterError(
                f"whisper.retry_ctx = {self.retry_ctx}: must be longer than audio_ctx ({self.audio_ctx}), or 0"
            )


class WhisperEngine:
    """A loaded whisper model."""

    Params: ClassVar[type[WhisperParams]] = WhisperParams

    def __init__(self, params: WhisperParams) -> None:
        refuse_unsupported(params)
        self.params = params
        self._context = _load(locate(params.model), params)
        self._full_window: Any = None  # a context of its own, once speech needs all of it
        strategy = native.whisper_sampling_strategy
        chosen = strategy.WHISPER_SAMPLING_BEAM_SEARCH if params.beam_size else strategy.WHISPER_SAMPLING_GREEDY
        self._full = native.whisper_full_default_params(chosen)
        self._full.n_threads = resolve_threads(params.n_threads)
        self._full.language = params.language
        self._full.single_segment = params.single_segment
        self._full.no_timestamps = params.no_timestamps
        self._full.temperature_inc = params.temperature_inc
        self._full.entropy_thold = params.entropy_thold
        self._full.greedy = {"best_of": params.best_of}
        self._full.print_progress = False
        self._full.no_context = True  # a chunk must not depend on the one before it
        if params.initial_prompt:
            self._full.initial_prompt = params.initial_prompt
        if params.beam_size:
            self._full.beam_search = {"beam_size": params.beam_size, "patience": -1.0}

    def prepare(self, request: Request) -> None:
        """Nothing is kept between chunks."""

    def run(self, request: Request, mark: Mark) -> Transcript:
        if not isinstance(request, Utterance):
            raise ParameterError(wrong_request("whisper", request))
        audio = as_speech(request.audio, SPEECH_RATE_HZ)
        if self.params.language == "auto" and self.params.audio_ctx:
            self._full.language = self._language_of(audio)
        first = self.params.context(len(audio))
        heard = self._transcribe(audio, first)
        second = encoder_context.plain(self.params.retry_ctx, len(audio)) if self.params.retry_ctx else first
        if second == first or not looks_wrong(heard, self.params):
            return heard
        return better(heard, self._transcribe(audio, second))

    def _transcribe(self, audio: Samples, context: Context) -> Transcript:
        self._full.audio_ctx = context.frames
        self._full.max_tokens = token_cap(self.params, len(audio))
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


def looks_wrong(heard: Transcript, params: WhisperParams) -> bool:
    """Whether a longer context should be asked: nothing heard, a loop, cut short by the token cap, or unlikely."""
    cap = token_cap(params, round(heard.audio_s * SPEECH_RATE_HZ))
    if heard.probability is None or not has_words(heard):
        return True
    return 0 < cap <= heard.tokens or heard.probability < params.retry_probability or is_loop(heard.text.lower())


def better(first: Transcript, second: Transcript) -> Transcript:
    """The second try, unless it has no words, and the first has some that are no loop."""
    keep = has_words(first) and not has_words(second) and not is_loop(first.text.lower())
    return first if keep else second


def has_words(heard: Transcript) -> bool:
    """Whether anything was said, beside notes of sounds such as [BLANK_AUDIO] or (laughs)."""
    return any(character.isalnum() for character in _NOTES.sub("", heard.text))


def token_cap(params: WhisperParams, samples: int) -> int:
    """The most tokens one chunk may yield; 0 asks whisper.cpp for no bound."""
    if params.max_tokens_per_s == 0:
        return 0
    return max(_MIN_TOKENS, math.ceil(samples / SPEECH_RATE_HZ * params.max_tokens_per_s))


def _load(path: Path, params: WhisperParams) -> Any:
    context_params = native.whisper_context_default_params()
    context_params.flash_attn = params.flash_attn
    context_params.use_gpu = params.use_gpu
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with redirect_stderr(to=str(log)):
            context = native.whisper_init_from_file_with_params(str(path), context_params)
        said = log.read_text(errors="replace") if log.exists() else ""
    # the binding wraps a null pointer as if it were a context: only the log tells
    if context is None or "failed to load model" in said:
        raise EngineError(f"whisper.cpp cannot load {path}: not a whole ggml whisper model; pull or convert it again")
    return context


def capabilities() -> list[Capability]:
    """What this build of pywhispercpp can do."""
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
    }


def refuse_unsupported(params: WhisperParams) -> None:
    """Raise ParameterError for a parameter that cannot be followed here."""
    refuse(params, missing(params) | preload.not_loaded(params, PRELOADED))
    if params.language != "auto" and native.whisper_lang_id(params.language) < 0:
        raise ParameterError(
            f"whisper.language = {params.language!r}: no such language; use a code such as en, or auto"
        )
