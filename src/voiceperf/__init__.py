"""voiceperf measures, tunes and guards the speed and the quality of a local voice agent.

This module imports nothing until a name is asked for: it is loaded in every pytest session of an environment that
has voiceperf installed. The engines' libraries are loaded in worker processes.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from voiceperf.call import CallRecording, Turn
    from voiceperf.call import load as load_call
    from voiceperf.errors import EngineError, InputError, ModelError, ParameterError, VoicePerfError, WorkerError
    from voiceperf.profiles import Profile
    from voiceperf.profiles import load as load_profile

    __version__: str

_PLACES = {
    "CallRecording": ("call", "CallRecording"),
    "Turn": ("call", "Turn"),
    "load_call": ("call", "load"),
    "EngineError": ("errors", "EngineError"),
    "InputError": ("errors", "InputError"),
    "ModelError": ("errors", "ModelError"),
    "ParameterError": ("errors", "ParameterError"),
    "VoicePerfError": ("errors", "VoicePerfError"),
    "WorkerError": ("errors", "WorkerError"),
    "Profile": ("profiles", "Profile"),
    "load_profile": ("profiles", "load"),
}
"""By public name the module that has it, and what it is called there."""

__all__ = [
    "CallRecording",
    "EngineError",
    "InputError",
    "ModelError",
    "ParameterError",
    "Profile",
    "Turn",
    "VoicePerfError",
    "WorkerError",
    "__version__",
    "load_call",
    "load_profile",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return _version()
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)


def __dir__() -> list[str]:
    return __all__


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(__name__)
    except PackageNotFoundError:  # a source tree that is on the path without being installed
        return "0+unknown"
