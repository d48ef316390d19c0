"""How often the verdicts are wrong, in simulation: the stopping rule under the null, and duels on recorded noise.

    .venv/bin/python tests/evidence/simulated.py

The noise was recorded by `real_engines.py` from identical workers (`record_noise.py` extracts it). A simulated duel
draws one recorded pair of processes for each of its contests, so that what differs between processes is in it too.
"""

import json
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from voiceperf.engines import ENGINES
from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import CONFIDENCE, ratio_interval
from voiceperf.suite.duel import LOOKS, Duel, Rules, fight

RECORDED = Path(__file__).with_name("recorded_noise.json")
NULL_RUNS = 10_000
DUELS = 1000
ROUND_S = {"whisper": 1.7, "llama": 2.7, "kokoro": 3.3}  # what a round of three inputs took while recording


def null_errors(draw, runs=NULL_RUNS):
    """The share of runs in which any look's interval leaves out the true ratio, below and above."""
    confidence = look_confidence(LOOKS, CONFIDENCE)
    below = above = 0
    for seed in range(runs):
        logs = draw(np.random.default_rng(seed), (3, LOOKS[-1]))
        for look in LOOKS:
            interval = ratio_interval({n: [(1.0, float(np.exp(x))) for x in row[:look]] for n, row in enumerate(logs)},
                                      confidence)  # fmt: skip
            if interval.low > 1 or interval.high < 1:
                above += interval.low > 1
                below += interval.high < 1
                break
    return below / runs, above / runs


class Replayed:
    """One recorded pair of processes, from a random place on and round again, with a known effect on top."""

    def __init__(self, clock, ratios, round_s, effect, rng):
        self.clock, self.ratios, self.round_s, self.effect = clock, ratios, round_s, effect
        self.rounds = 0
        self.start = int(rng.integers(len(ratios[0])))
        self.times = {number: [] for number in range(len(ratios))}

    def one_round(self):
        self.clock.now_ns += int(self.round_s * 1e9)
        place = (self.start + self.rounds) % len(self.ratios[0])
        for number, pairs in self.times.items():
            pairs.append((1.0, self.ratios[number][place] * self.effect))
        self.rounds += 1

    def times_ns(self):
        return self.times


class Clock:
    now_ns = 0

    def wall_ns(self):
        return self.now_ns


def changes(processes, engine, effect, duels=DUELS):
    """What simulated duels say of a known effect."""
    said = []
    for seed in range(duels):
        rng, clock = np.random.default_rng(seed), Clock()

        @contextmanager
        def start(rng=rng, clock=clock):
            yield Replayed(clock, processes[rng.integers(len(processes))], ROUND_S[engine], effect, rng)

        first, fresh, finding = fight(start, Rules(), clock)
        said.append(Duel(engine, finding, first, fresh).change)
    return {change: said.count(change) / duels for change in ("slower", "same", "faster", "unclear")}


def main():
    recorded = json.loads(RECORDED.read_text())
    for title, draw in {
        "normal noise of 5%": lambda rng, shape: rng.normal(0, 0.05, shape),
        "heavy-tailed noise (t, 3 degrees)": lambda rng, shape: 0.05 * rng.standard_t(3, shape),
    }.items():
        below, above = null_errors(draw)
        print(f"stopping rule, no difference, {title}, {NULL_RUNS} runs: {below + above:.2%} wrong", end=" ")
        print(f"({above:.2%} slower, {below:.2%} faster; allowed {1 - CONFIDENCE:.0%})", flush=True)
    for engine in ENGINES:
        processes = [launch["ratios"] for launch in recorded if launch["engine"] == engine]
        for effect in (1.0, 1.05, 1.10, 1 / 1.05, 1 / 1.10):
            shares = changes(processes, engine, effect)
            told = ", ".join(f"{name} {share:.1%}" for name, share in shares.items())
            print(f"duels on recorded noise of {engine}, effect {effect - 1:+.1%}, {DUELS} duels: {told}", flush=True)


if __name__ == "__main__":
    main()
