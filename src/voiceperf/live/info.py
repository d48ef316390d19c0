"""What a service says of itself when it is asked to describe itself."""

from __future__ import annotations

from typing import Any

from wyoming.info import (
    AsrModel,
    AsrProgram,
    Attribution,
    HandleModel,
    HandleProgram,
    Info,
    TtsProgram,
    TtsVoice,
)

from voiceperf import __version__
from voiceperf.engines.base import installed_version
from voiceperf.params import EngineParams

PROGRAMS = {"whisper": "voiceperf-whisper", "llama": "voiceperf-llama", "kokoro": "voiceperf-kokoro"}
"""What our services call themselves."""

_WHISPER = Attribution("whisper.cpp", "https://github.com/ggml-org/whisper.cpp")
_LLAMA = Attribution("llama.cpp", "https://github.com/ggml-org/llama.cpp")
_KOKORO = Attribution("Kokoro-82M", "https://huggingface.co/hexgrad/Kokoro-82M")


def info_of(params: EngineParams) -> Info:
    """The engine's model or voice, as Wyoming lists programs."""
    return {"whisper": _hears, "llama": _answers, "kokoro": _speaks}[params.engine](params)


def _hears(params: Any) -> Info:
    facts = _facts(_WHISPER, "pywhispercpp")
    model = AsrModel(name=params.model, description="speech to text", languages=params.languages(), **facts)
    program = AsrProgram(name=PROGRAMS["whisper"], description="whisper.cpp, tuned", models=[model], **_own(_WHISPER))
    return Info(asr=[program])


def _answers(params: Any) -> Info:
    facts = _facts(_LLAMA, "llama-cpp-python")
    model = HandleModel(name=params.model, description="answers as a language model", languages=["en"], **facts)
    program = HandleProgram(
        name=PROGRAMS["llama"],
        description="llama.cpp, tuned",
        models=[model],
        supports_handled_streaming=True,
        **_own(_LLAMA),
    )
    return Info(handle=[program])


def _speaks(params: Any) -> Info:
    facts = _facts(_KOKORO, "kokoro-onnx")
    names = dict.fromkeys([params.voice, *params.voices()])
    voices = [TtsVoice(name=name, description="text to speech", languages=[params.lang], **facts) for name in names]
    program = TtsProgram(
        name=PROGRAMS["kokoro"],
        description="Kokoro, tuned",
        voices=voices,
        supports_synthesize_streaming=True,
        **_own(_KOKORO),
    )
    return Info(tts=[program])


def _facts(attribution: Attribution, distribution: str) -> dict[str, Any]:
    return {"attribution": attribution, "installed": True, "version": installed_version(distribution)}


def _own(attribution: Attribution) -> dict[str, Any]:
    return {"attribution": attribution, "installed": True, "version": __version__}
