"""Pairs: two runs of one input, back to back, in ABBA order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from voiceperf.measure.clock import Timing

RunOnce = Callable[[], Timing]
Cost = Callable[[Timing], float]
"""What of a run is compared, in nanoseconds."""


def wall_ns(timing: Timing) -> float:
    """The whole run."""
    return timing.wall_ns


@dataclass(frozen=True)
class Pair:
    """Two runs so close in time that the machine's drift is common to both."""

    subject: Timing
    partner: Timing


def subject_goes_first(index: int) -> bool:
    """The order AB BA AB BA ..., so that neither side is always the one that runs on a warmer machine."""
    return index % 2 == 0


@dataclass
class PairRecorder:
    """Collects pairs of a subject with its partner.

    The three steps fit pytest-benchmark's `pedantic(subject, setup=before, teardown=after)`, which times the
    subject in every round while the partner runs now before it, now after.
    """

    run_subject: RunOnce
    run_partner: RunOnce
    pairs: list[Pair] = field(default_factory=list)
    _subject: Timing | None = None
    _partner: Timing | None = None

    def before(self) -> None:
        """Run the partner where it is its turn to go first."""
        self._partner = None if subject_goes_first(len(self.pairs)) else self.run_partner()

    def subject(self) -> None:
        """Run the subject."""
        self._subject = self.run_subject()

    def after(self) -> None:
        """Run the partner where it has not run yet, and keep the pair."""
        if self._subject is None:
            return
        partner = self._partner or self.run_partner()
        self.pairs.append(Pair(self._subject, partner))
        self._subject = self._partner = None

    def one_more(self) -> None:
        """Measure one more pair."""
        self.before()
        self.subject()
        self.after()

    def warm_up(self) -> None:
        """Run both once, keeping nothing."""
        self.run_subject()
        self.run_partner()


class PairedRounds:
    """The recorders of several inputs, which go round together."""

    def __init__(self, recorders: Mapping[int, PairRecorder], cost: Cost = wall_ns) -> None:
        self._recorders, self._cost = recorders, cost

    def one_round(self) -> None:
        """One pair of every input."""
        for recorder in self._recorders.values():
            recorder.one_more()

    def times_ns(self) -> dict[int, list[tuple[float, float]]]:
        """By input, the (partner, subject) times of every pair so far."""
        return {
            number: [(self._cost(pair.partner), self._cost(pair.subject)) for pair in recorder.pairs]
            for number, recorder in self._recorders.items()
        }
