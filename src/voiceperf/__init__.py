"""voiceperf measures, tunes and guards the speed and the quality of a local voice agent.

This module imports no engine and no pytest; the engines' libraries are loaded in worker processes.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

from voiceperf.call import CallRecording, Turn
from voiceperf.call import load as load_call
from voiceperf.errors import EngineError, InputError, ModelError, ParameterError, VoicePerfError, WorkerError
from voiceperf.profiles import Profile
from voiceperf.profiles import load as load_profile

try:
    __version__ = version("voiceperf")
except PackageNotFoundError:  # a source tree that is on the path without being installed
    __version__ = "0+unknown"

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
