"""Made-up times, where nothing has to run."""

import numpy as np
import pytest


class MadeUpLaunch:
    """Three inputs whose times for one side and the other are known, with noise of a known size."""

    def __init__(self, seconds, noise=0.02, seed=1):
        self._seconds, self._noise, self._rng = seconds, noise, np.random.default_rng(seed)
        self._times = {number: [] for number in range(3)}
        self.rounds = 0

    def one_round(self):
        self.rounds += 1
        for pairs in self._times.values():
            pairs.append(tuple(1e9 * s * np.exp(self._rng.normal(0, self._noise)) for s in self._seconds))

    def times_ns(self):
        return self._times

    def __enter__(self):
        return self

    def __exit__(self, *ending):
        pass


@pytest.fixture
def made_up_launch():
    """Makes a launch of (baseline's seconds, candidate's seconds)."""
    return MadeUpLaunch
