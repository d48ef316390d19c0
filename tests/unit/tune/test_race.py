"""Racing on made-up times: when a candidate is dropped, and how many rounds it takes to know."""

import numpy as np

from voiceperf.errors import EngineError
from voiceperf.tune.race import LOOKS, race


class MadeUpBout:
    """Three inputs whose ratio is known, with noise of a known size."""

    def __init__(self, ratio, noise=0.02, seed=1):
        self._ratio, self._noise, self._rng = ratio, noise, np.random.default_rng(seed)
        self._times = {number: [] for number in range(3)}
        self.rounds = 0

    def one_round(self):
        self.rounds += 1
        for pairs in self._times.values():
            base = 100.0 * np.exp(self._rng.normal(0, self._noise))
            pairs.append((base, 100.0 * self._ratio * np.exp(self._rng.normal(0, self._noise))))

    def times_ns(self):
        return self._times

    def __enter__(self):
        return self

    def __exit__(self, *ending):
        pass


def test_a_surely_slower_candidate_is_dropped_at_the_first_look():
    """What takes half as long again as it may is not measured to the end."""
    bout = MadeUpBout(1.5)
    raced = race(lambda: bout, bar=1.0)
    assert raced.dropped
    assert bout.rounds == LOOKS[0]


def test_a_faster_candidate_is_never_dropped():
    """What is faster than the bar is kept, whatever the noise: at most one in a hundred is lost."""
    dropped = [race(lambda seed=seed: MadeUpBout(0.95, 0.05, seed), bar=1.0).dropped for seed in range(100)]
    assert sum(dropped) <= 1


def test_heavy_noise_takes_all_rounds():
    """Where pairs scatter, all looks are taken and the interval tells how little is known."""
    bout = MadeUpBout(0.9, noise=0.3)
    raced = race(lambda: bout, bar=1.0)
    assert bout.rounds == LOOKS[-1]
    assert raced.ratio.low < 0.9 < raced.ratio.high


def test_a_known_ratio_needs_no_more_rounds():
    """Without noise the first look is enough, and says the ratio."""
    bout = MadeUpBout(0.5, noise=0.001)
    raced = race(lambda: bout, bar=1.0)
    assert bout.rounds == LOOKS[0]
    assert abs(raced.ratio.estimate - 0.5) < 0.002


def test_the_same_code_is_seldom_dropped():
    """A candidate as fast as the bar is dropped in at most one of twenty races, both sides' errors counted."""
    dropped = [race(lambda seed=seed: MadeUpBout(1.0, 0.05, seed), bar=1.0).dropped for seed in range(200)]
    assert sum(dropped) <= 10


def test_a_candidate_that_dies_is_a_failure_with_its_reason():
    """A process that cannot be started is no figure, and its reason is kept."""

    def start():
        raise EngineError("killed by SIGSEGV")

    raced = race(start, bar=1.0)
    assert raced.ratio is None
    assert raced.failure == "killed by SIGSEGV"
