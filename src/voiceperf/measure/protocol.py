"""What a worker process and its parent say to each other, over one socket, as pickled messages.

Both ends are ours and the socket is private to them; nothing else ever writes to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from voiceperf.engines.base import Output, Request
from voiceperf.measure.clock import Timing
from voiceperf.measure.resources import Resources


@dataclass(frozen=True)
class Start:
    """First message: which engine, with which parameters."""

    engine: str
    values: dict[str, Any]


@dataclass(frozen=True)
class Load:
    """Keep a request under a key, so that its transfer is never timed."""

    key: str
    request: Request


@dataclass(frozen=True)
class Run:
    """Run a kept request once and answer with its Timing."""

    key: str


@dataclass(frozen=True)
class Stream:
    """Run a request at once; answer with a Part as each is made, then with Done."""

    request: Request


@dataclass(frozen=True)
class Stop:
    """Nobody waits for the stream any more. It has no answer of its own: the stream soon fails, or is over."""


@dataclass(frozen=True)
class Part:
    """Some more text of the output under way, and the share of the work that is done, where that is known."""

    text: str
    done: float = 0.0


@dataclass(frozen=True)
class Done:
    """A stream's end, with all of it."""

    timing: Timing
    output: Output


@dataclass(frozen=True)
class Fetch:
    """Answer with the output of the last run."""


@dataclass(frozen=True)
class Account:
    """Answer with the worker's resources."""


@dataclass(frozen=True)
class Ready:
    """The engine is loaded, or the request kept."""


@dataclass(frozen=True)
class Failure:
    """The message could not be obeyed; `kind` is the error's class."""

    kind: str
    reason: str


Answer = Ready | Timing | Output | Resources | Done | Failure
