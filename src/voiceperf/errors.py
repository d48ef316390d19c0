"""One tree of errors. Each class knows the exit code its message ends a command with."""

from __future__ import annotations


class VoicePerfError(Exception):
    """Anything voiceperf raises on purpose: one line that names the thing and the remedy."""

    exit_code = 2


class InputError(VoicePerfError):
    """A file, audio buffer or text that cannot be used as it is."""


class ParameterError(VoicePerfError):
    """A parameter that does not exist, is out of bounds, or is not supported by this build."""


class ModelError(VoicePerfError):
    """A model that is missing, cannot be fetched, or is not what its checksum says."""

    exit_code = 3


class EngineError(VoicePerfError):
    """An engine that could not be loaded or did not finish its work."""

    exit_code = 4


class WorkerError(EngineError):
    """A worker process that died, hung or answered nonsense."""
