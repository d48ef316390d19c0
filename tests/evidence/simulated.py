"""How often the verdicts are wrong, in simulation: the stopping rule under the null, and duels on recorded noise.

    .venv/bin/python tests/evidence/simulated.py

The noise was recorded by `real_engines.py` from identical workers, on an idle machine (`duels.jsonl`). Wherever a duel
starts a pair of processes, a simulated one draws a recorded pair, so that what differs between processes is in it too.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from voiceperf.judge.regression import Change
from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import CONFIDENCE, ratio_interval
from voiceperf.profiles import PLAYERS
from voiceperf.suite.duel import LOOKS, Duel, Rules, judge_duel

RECORDED = Path(__file__).with_name("duels.jsonl")
NULL_RUNS = 10_000
DUELS = 600
START_S = {"whisper": 4.9, "llama": 3.4, "kokoro": 6.5}  # what starting and warming up a pair took
ROUND_S = {"whisper": 1.2, "llama": 2.2, "kokoro": 2.5}  # what a round of three inputs took while recording


def normal(rng, shape):
    return rng.normal(0, 0.05, shape)


def heavy_tailed(rng, shape):
    return 0.05 * rng.standard_t(3, shape)


def first_alarm(draw, seed):
    """+1 or -1 where any look's interval leaves out the true ratio, above or below it; else 0."""
    confidence = look_confidence(LOOKS, CONFIDENCE)
    logs = draw(np.random.default_rng(seed), (3, LOOKS[-1]))
    for look in LOOKS:
        pairs = {n: [(1.0, float(np.exp(x))) for x in row[:look]] for n, row in enumerate(logs)}
        interval = ratio_interval(pairs, confidence)
        if interval.low > 1 or interval.high < 1:
            return 1 if interval.low > 1 else -1
    return 0


class Replayed:
    """One recorded pair of processes, from a random place on and round again, with a known effect on top."""

    def __init__(self, clock, ratios, round_s, effect, rng):
        self.clock, self.ratios, self.round_s, self.effect = clock, ratios, round_s, effect
        self.place = int(rng.integers(len(ratios[0])))
        self.times = {number: [] for number in range(len(ratios))}

    def one_round(self):
        self.clock.now_ns += int(self.round_s * 1e9)
        for number, pairs in self.times.items():
            pairs.append((1.0, self.ratios[number][self.place] * self.effect))
        self.place = (self.place + 1) % len(self.ratios[0])

    def times_ns(self):
        return self.times


class Clock:
    now_ns = 0

    def wall_ns(self):
        return self.now_ns


def said(processes, engine, effect, seed):
    """What one simulated duel says of a known effect."""
    rng, clock = np.random.default_rng(seed), Clock()

    @contextmanager
    def start():
        clock.now_ns += int(START_S[engine] * 1e9)
        yield Replayed(clock, processes[rng.integers(len(processes))], ROUND_S[engine], effect, rng)

    first, fresh, finding = judge_duel(start, Rules(), clock)
    return Duel(engine, finding, first, fresh).change


def main():
    duels = [json.loads(line) for line in RECORDED.read_text().splitlines()]
    with ProcessPoolExecutor() as pool:
        for draw in (normal, heavy_tailed):
            alarms = list(pool.map(partial(first_alarm, draw), range(NULL_RUNS), chunksize=100))
            above, below = alarms.count(1) / NULL_RUNS, alarms.count(-1) / NULL_RUNS
            print(f"stopping rule, no difference, {draw.__name__} noise, {NULL_RUNS} runs: {above + below:.2%} wrong"
                  f" ({above:.2%} slower, {below:.2%} faster; allowed {1 - CONFIDENCE:.0%})", flush=True)  # fmt: skip
        for engine in PLAYERS.values():
            same = [duel for duel in duels if (duel["engine"], duel["case"]) == (engine, "same")]
            processes = [rows for duel in same for rows in duel["processes"]]
            for effect in (1.0, 1.05, 1.10, 1 / 1.05, 1 / 1.10):
                told = list(pool.map(partial(said, processes, engine, effect), range(DUELS), chunksize=20))
                shares = ", ".join(f"{name} {told.count(name) / DUELS:.1%}" for name in Change)
                print(f"duels on recorded noise of {engine}, {effect - 1:+.1%}, {DUELS} duels: {shares}", flush=True)


if __name__ == "__main__":
    main()
