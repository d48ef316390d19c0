"""The engines by name. A module is imported only when its engine is asked for, so none needs the others."""

from __future__ import annotations

import dataclasses
import importlib
from types import ModuleType

from voiceperf.engines.base import Engine
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import EngineParams, known_default

_CLASSES = {
    "whisper": "WhisperEngine",
    "llama": "LlamaEngine",
    "kokoro": "KokoroEngine",
    "fake": "FakeEngine",
    "faster_whisper": "FasterWhisperEngine",
    "plain_kokoro": "PlainKokoroEngine",
    "sherpa_kokoro": "SherpaKokoroEngine",
}

ENGINES = ("whisper", "llama", "kokoro")
"""The engines of a voice agent, in the order in which a turn passes through them."""


def module(name: str) -> ModuleType:
    """The engine's module.

    Raises:
        ParameterError: no such engine.
        EngineError: its library is not installed, with the command that installs it.
    """
    if name not in _CLASSES:
        raise ParameterError(f"no engine {name!r}; there are {', '.join(ENGINES)}")
    try:
        return importlib.import_module(f"voiceperf.engines.{name}")
    except ImportError as error:
        raise EngineError(
            f"the {name} engine's library is missing ({error}); pip install 'voiceperf[{name}]'"
        ) from None


def engine_class(name: str) -> type[Engine]:
    """The engine's class; its `Params` declare what can be tuned."""
    found: type[Engine] = getattr(module(name), _CLASSES[name])
    return found


def params_class(name: str) -> type[EngineParams]:
    """The engine's parameter declarations."""
    return engine_class(name).Params


def without_missing(params: EngineParams) -> tuple[EngineParams, dict[str, str]]:
    """Parameters with the default for each that this build or machine has no means for, and these with the reason."""
    lacking: dict[str, str] = module(params.engine).missing(params)
    defaults = {name: known_default(params, name) for name in lacking}
    return dataclasses.replace(params, **defaults), lacking


def load(params: EngineParams) -> Engine:
    """Load an engine with validated parameters."""
    make = engine_class(params.engine)
    return make(params)  # type: ignore[call-arg]  # a protocol cannot promise its constructor
