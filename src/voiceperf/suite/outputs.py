"""What an engine makes of one input is the same every time, so it need not be asked twice."""

from __future__ import annotations

import hashlib
from typing import Any, Protocol

from voiceperf.engines.base import Line, Output, Request, Utterance
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Contender
from voiceperf.measure.process import WorkerProcess

Outputs = dict[Any, tuple[Timing, Output]]
"""By outcome and input: contenders that differ only in threads share them."""


class Asked(Protocol):
    """A worker, or one that remembers."""

    @property
    def contender(self) -> Contender: ...

    def once(self, request: Request) -> tuple[Timing, Output]: ...


class Remembering:
    """A worker that is only asked what is not known yet: utterances and lines."""

    def __init__(self, worker: WorkerProcess, known: Outputs) -> None:
        self._worker, self._known = worker, known

    @property
    def contender(self) -> Contender:
        return self._worker.contender

    def once(self, request: Request) -> tuple[Timing, Output]:
        """As the worker's own; the timing is that of the first time."""
        key = (self.contender.outcome(), _name(request))
        if key not in self._known:
            self._known[key] = self._worker.once(request)
        return self._known[key]


def _name(request: Request) -> str:
    if isinstance(request, Line):
        return request.text
    assert isinstance(request, Utterance)  # the outputs of others are too large to keep
    return hashlib.sha256(request.audio.tobytes()).hexdigest()
