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
from voiceperf.roles import HEARING, SPEAKING, THINKING

OURS = "voiceperf-"
"""How the programs of our services are called, before the engine's name."""

FREED = "voiceperf-freed"
"""An event that our services answer by the same: how long the engine was at work for clients that were gone, each in
ms, since this was asked last."""

GUESS = "voiceperf-guess"
"""An event of our service that hears: the `text` that a caller has said if they have finished, in a pause of theirs.
It becomes the transcript, or `voice-started` takes it back because they speak on."""

GUESSED = "guessed"
"""What the context of such a transcript has besides its times."""

PIECE = "text"
"""What the first `audio-chunk` of a piece has from our service: the words that it is the sound of."""


def info_of(params: EngineParams) -> Info:
    """The engine's model or voice, as Wyoming lists programs."""
    return {HEARING: _hears, THINKING: _answers, SPEAKING: _speaks}[params.role](params)


def _hears(params: Any) -> Info:
    languages = params.languages()
    model = AsrModel(name=_model(params), description="speech to text", languages=languages, **_facts(params))
    return Info(asr=[AsrProgram(models=[model], **_own(params))])


def _answers(params: Any) -> Info:
    facts = _facts(params)
    model = HandleModel(name=_model(params), description="answers as a language model", languages=["en"], **facts)
    return Info(handle=[HandleProgram(models=[model], supports_handled_streaming=True, **_own(params))])


def _speaks(params: Any) -> Info:
    names = dict.fromkeys([getattr(params, "voice", params.engine), *params.voices()])
    facts = {"languages": [params.delivery().lang], **_facts(params)}
    voices = [TtsVoice(name=name, description="text to speech", **facts) for name in names]
    return Info(tts=[TtsProgram(voices=voices, supports_synthesize_streaming=True, **_own(params))])


def _model(params: EngineParams) -> str:
    return str(getattr(params, "model", params.engine))


def _facts(params: EngineParams) -> dict[str, Any]:
    distribution = next(iter(params.distributions), "")
    version = installed_version(distribution) if distribution else None
    return {"attribution": Attribution(params.title, params.home), "installed": True, "version": version}


def _own(params: EngineParams) -> dict[str, Any]:
    return {
        "name": f"{OURS}{params.engine}",
        "description": f"{params.title}, tuned",
        "attribution": Attribution(params.title, params.home),
        "installed": True,
        "version": __version__,
    }
