"""A turn of a call as it went, and the clock of one."""

from __future__ import annotations

from dataclasses import dataclass, field

from voiceperf.live.info import GUESSED
from voiceperf.measure.clock import Clock


@dataclass
class TurnRecord:
    """One turn as it went. Moments are in ms since the caller's last sample; None where it did not come to that."""

    call: int
    turn: int
    end_of_turn_ms: float | None = None  # where the service that hears finds it; then all is since their last sound
    transcript_ms: float | None = None
    first_text_ms: float | None = None
    all_text_ms: float | None = None
    first_audio_ms: float | None = None
    all_audio_ms: float | None = None
    transcript: str = ""
    reply: str = ""
    audio_sha256: str = ""
    audio_s: float = 0.0
    served: dict[str, dict[str, float]] = field(default_factory=dict)  # by stage what the service says: queue, engine
    silence_ms: float | None = None  # of a reply that was spoken into: from the caller's first sound to its end
    heard_reply: str = ""  # and what had been heard of it
    error: str = ""

    def mark_text(self, moment_ms: float) -> None:
        """Some of the reply's text is there: the first time counts."""
        self.first_text_ms = moment_ms if self.first_text_ms is None else self.first_text_ms

    def mark_audio(self, moment_ms: float) -> None:
        """Some of its sound."""
        self.first_audio_ms = moment_ms if self.first_audio_ms is None else self.first_audio_ms

    def forget_reply(self) -> None:
        """What was begun is nobody's answer."""
        self.first_text_ms = self.all_text_ms = self.first_audio_ms = self.all_audio_ms = None
        self.reply = self.audio_sha256 = ""
        self.audio_s = 0.0
        self.served = {stage: times for stage, times in self.served.items() if stage == "hears"}

    def hold_back(self, moment_ms: float) -> None:
        """What there is of the sound is heard from a moment on."""
        self.first_audio_ms = None if self.first_audio_ms is None else max(self.first_audio_ms, moment_ms)
        self.all_audio_ms = None if self.all_audio_ms is None else max(self.all_audio_ms, moment_ms)

    @property
    def was_guessed(self) -> bool:
        """Whether the words were known before it was known that they were all."""
        return GUESSED in self.served.get("hears", {})

    @property
    def is_cut_off(self) -> bool:
        """Whether their words were taken for finished before they were."""
        return self.end_of_turn_ms is not None and self.end_of_turn_ms < 0

    @property
    def queue_ms(self) -> float:
        """Waiting for an engine, all stages together."""
        return sum(times.get("queue_ms", 0.0) for times in self.served.values())


class Since:
    """Milliseconds since a moment: now, unless another one is named."""

    def __init__(self, clock: Clock, begun_ns: int | None = None) -> None:
        self._clock, self._begun_ns = clock, clock.wall_ns() if begun_ns is None else begun_ns

    def ms(self) -> float:
        return (self._clock.wall_ns() - self._begun_ns) / 1e6
