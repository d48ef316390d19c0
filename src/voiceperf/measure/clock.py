"""The clock, which tests replace, and one timed run of an engine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from voiceperf.engines.base import FIRST_AUDIO, FIRST_TOKEN, PART, Engine, Output, Reply, Request, Speech, Transcript


class Clock(Protocol):
    """Nanoseconds, of the wall and of this process's CPUs."""

    def wall_ns(self) -> int: ...

    def cpu_ns(self) -> int: ...


class SystemClock:
    """The machine's own."""

    def wall_ns(self) -> int:
        return time.perf_counter_ns()

    def cpu_ns(self) -> int:
        return time.process_time_ns()


@dataclass(frozen=True)
class Timing:
    """One timed run. `marks_ns` are moments within it, from its start; `prepare_ns` came before it.

    Missing figures are None, never 0.
    """

    wall_ns: int
    cpu_ns: int
    marks_ns: dict[str, int] = field(default_factory=dict)
    tokens: int | None = None
    audio_s: float | None = None
    heard_s: float | None = None
    prepare_ns: int = 0

    @property
    def wall_ms(self) -> float:
        return self.wall_ns / 1e6

    @property
    def rtf(self) -> float | None:
        """Real-time factor against what is heard (speech), or against what was said (a transcript)."""
        seconds = self.heard_s if self.heard_s is not None else self.audio_s
        return self.wall_ns / 1e9 / seconds if seconds else None

    @property
    def rtf_untrimmed(self) -> float | None:
        return self.wall_ns / 1e9 / self.audio_s if self.audio_s else None

    @property
    def ttft_ms(self) -> float | None:
        """Time to first token."""
        return _ms(self.marks_ns.get(FIRST_TOKEN))

    @property
    def ttfa_ms(self) -> float | None:
        """Time to first audio."""
        return _ms(self.marks_ns.get(FIRST_AUDIO))

    @property
    def until_heard_ns(self) -> int:
        """Until the first audio, or the end where none is marked on the way."""
        return self.marks_ns.get(FIRST_AUDIO, self.wall_ns)

    @property
    def ms_per_token(self) -> float | None:
        """Decoding only: what comes after the first token."""
        first = self.marks_ns.get(FIRST_TOKEN)
        if first is None or self.tokens is None or self.tokens < 2:
            return None
        return (self.wall_ns - first) / 1e6 / (self.tokens - 1)

    def as_record(self) -> dict[str, float | int | None]:
        """Every figure under its usual name, for a log line or a history."""
        return {
            "wall_ms": self.wall_ms,
            "cpu_ms": self.cpu_ns / 1e6,
            "tokens": self.tokens,
            "audio_s": self.audio_s,
            "heard_s": self.heard_s,
            "rtf": self.rtf,
            "rtf_untrimmed": self.rtf_untrimmed,
            "ttft_ms": self.ttft_ms,
            "ttfa_ms": self.ttfa_ms,
            "ms_per_token": self.ms_per_token,
        }


def _ms(ns: int | None) -> float | None:
    return None if ns is None else ns / 1e6


HandOn = Callable[[str, float], None]
"""Takes each part of a text as it is made, and the share of the work that is done, where that is known."""


def to_nobody(part: str, done: float) -> None:
    """Nobody waits for the parts."""


def timed_run(engine: Engine, request: Request, clock: Clock, hand_on: HandOn = to_nobody) -> tuple[Timing, Output]:
    """Prepare outside the timing, then run once within it."""
    arrived = clock.wall_ns()
    engine.prepare(request)
    marks: list[tuple[str, int]] = []
    cpu, start = clock.cpu_ns(), clock.wall_ns()

    def mark(name: str, part: str = "", done: float = 0.0) -> None:
        if name == PART:
            hand_on(part, done)
        else:
            marks.append((name, clock.wall_ns()))

    output = engine.run(request, mark)
    wall_ns, cpu_ns = clock.wall_ns() - start, clock.cpu_ns() - cpu
    tokens = output.tokens if isinstance(output, Transcript | Reply) else None
    audio_s = output.audio_s if isinstance(output, Transcript | Speech) else None
    heard_s = output.heard_s if isinstance(output, Speech) else None
    since_start = {name: at - start for name, at in marks}
    return Timing(wall_ns, cpu_ns, since_start, tokens, audio_s, heard_s, start - arrived), output
