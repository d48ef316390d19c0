"""An engine made of arithmetic, for tests of the logic of measuring. It can be told to fail in every way."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import dataclass
from typing import Any, ClassVar

from voiceperf.engines.base import FIRST_TOKEN, Capability, Line, Mark, Reply, Request, wrong_request
from voiceperf.errors import EngineError, ParameterError
from voiceperf.params import EngineParams, tunable
from voiceperf.roles import ABILITIES, SPEAKING


@dataclass(frozen=True)
class FakeParams(EngineParams):
    """What the fake does."""

    engine: ClassVar[str] = "fake"
    role: ClassVar[str] = SPEAKING
    can: ClassVar[frozenset[str]] = ABILITIES

    work: int = tunable(1000, "additions a run", low=0)
    nice: int = tunable(0, "how far its process lets others go first", low=0, high=19, neutral=True)
    failure: str = tunable("", "how to fail", choices=("", "load", "error", "crash", "hang", "chatter"))

    def niceness(self) -> int:
        return self.nice

    def alone(self) -> dict[str, Any]:
        return {"nice": 0}


class FakeEngine:
    """Adds numbers, and echoes the line."""

    Params: ClassVar[type[FakeParams]] = FakeParams

    def __init__(self, params: FakeParams) -> None:
        if params.failure == "load":
            raise EngineError("the fake engine was told not to load")
        self.params = params
        self.prepared = 0
        self._stopped, self._has_refused = threading.Event(), False

    def stop(self) -> None:
        if not self._has_refused:  # as one that is not ready yet
            self._has_refused = True
            raise EngineError("the fake engine does not stop the first time")
        self._stopped.set()

    def prepare(self, request: Request) -> None:
        self.prepared += 1
        self._stopped.clear()

    def run(self, request: Request, mark: Mark) -> Reply:
        if not isinstance(request, Line):
            raise ParameterError(wrong_request("fake", request))
        self._fail()
        mark(FIRST_TOKEN)
        total = sum(range(self.params.work))
        return Reply(f"{request.text} {total}", tuple(range(len(request.text.split()))), self.prepared)

    def _fail(self) -> None:
        match self.params.failure:
            case "error":
                raise EngineError("the fake engine was told to fail")
            case "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            case "hang":
                self._stopped.wait(3600)
                raise EngineError("the fake engine was stopped")
            case "chatter":
                os.write(1, b"native code that prints to standard output\n")

    def close(self) -> None:
        """Nothing to free."""


def capabilities() -> list[Capability]:
    """The fake can do all it says."""
    return [Capability("fake", True)]
