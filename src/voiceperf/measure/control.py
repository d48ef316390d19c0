"""The control workload: fixed NumPy work of some tens of milliseconds that no engine or setting can change.

Histories divide by it, so that runs of different days and of a machine's slow and fast hours compare.
"""

from __future__ import annotations

import numpy as np

from voiceperf.measure.clock import Clock, SystemClock, Timing

NOMINAL_S = 0.045
"""What the work takes, nearly, on two cores of a rented server. Times over the control, times this, read as seconds."""
_SIDE = 512
_REPEATS = 12


class Control:
    """Sorting, transforms and element-wise work on fixed data: one thread, some cache and some memory."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock or SystemClock()
        self._data = np.random.default_rng(61).standard_normal((_SIDE, _SIDE))
        self._work()  # warm caches and NumPy's own set-up

    def run(self) -> Timing:
        """Time the work once."""
        cpu, start = self._clock.cpu_ns(), self._clock.wall_ns()
        self._work()
        return Timing(self._clock.wall_ns() - start, self._clock.cpu_ns() - cpu)

    def _work(self) -> float:
        total = 0.0
        for _ in range(_REPEATS):
            spectrum = np.fft.rfft(self._data, axis=1)
            total += float(np.abs(spectrum).sum()) + float(np.sort(self._data, axis=0)[_SIDE // 2].sum())
        return total
