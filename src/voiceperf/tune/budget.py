"""A search's time: it begins nothing that would hardly end in it."""

from __future__ import annotations

from statistics import median

from voiceperf.measure.clock import Clock


class Budget:
    """Time until a moment, for trials that each take about as long as those before."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._begun_ns = clock, clock.wall_ns()
        self._last_ns = self._begun_ns + int(seconds * 1e9)
        self._ends_ns: list[int] = []

    def one_done(self) -> None:
        """A trial has ended."""
        self._ends_ns.append(self._clock.wall_ns())

    def left_s(self) -> float:
        """Until the end; below 0 after it."""
        return (self._last_ns - self._clock.wall_ns()) / 1e9

    def is_over(self) -> bool:
        """Whether a trial of usual length would end too late."""
        begins = [self._begun_ns, *self._ends_ns]
        lengths = [end - begin for begin, end in zip(begins, self._ends_ns, strict=False)]
        return self._clock.wall_ns() + (median(lengths) if lengths else 0) >= self._last_ns

    def part(self, share: float) -> Budget:
        """From now to where this share of the whole time is over, for trials of another length."""
        whole_ns = self._last_ns - self._begun_ns
        return Budget(self._clock, (self._begun_ns + share * whole_ns - self._clock.wall_ns()) / 1e9)
