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


class StoppedError(VoicePerfError):
    """Work that nobody waits for any more."""


class ServiceError(VoicePerfError):
    """A service that cannot be reached, refuses, or says what no service should.

    `code` is what a program can tell it by, as Wyoming's error event carries it.
    """

    exit_code = 5

    def __init__(self, reason: str, code: str = "service") -> None:
        super().__init__(reason)
        self.code = code
