"""How often the duel's verdicts are wrong, in simulation: with what processes differ by, and on recorded launches.

    .venv/bin/python tests/evidence/simulated.py [GATES.jsonl]

The launches were recorded by `gates.py` from unchanged code (`gates.jsonl`): a simulated duel draws whole launches, so
that what differs between processes is in it too.
"""

import json
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from voiceperf.judge.sequential import look_confidence
from voiceperf.judge.statistics import CONFIDENCE, interval_of_launches
from voiceperf.judge.verdict import Verdict
from voiceperf.suite.duel import LOOKS, TURN_LOOKS, DuelUnderWay, Rules
from voiceperf.suite.sides import MAX_TURN_SLOWDOWN
from voiceperf.suite.workloads import CALL

RECORDED = Path(__file__).with_name("gates.jsonl")
RUNS = 500
INPUTS, PAIRS = 3, 2  # of a launch
PAIR_SPREAD = 0.045  # of a single log-ratio, with heavy tails; what hearing shows
PROCESS_SPREADS = (0.0, 0.01, 0.02, 0.04)  # of a launch's log-ratio
EFFECTS = (1.0, 1.01, 1.02, 1.03, 1.05, 1.10)


def launch_of(rng, process_spread, effect):
    """Three inputs with as many pairs as a launch has, all shifted by what these processes happen to differ by."""
    shift = np.log(effect) + rng.normal(0, process_spread)
    logs = shift + PAIR_SPREAD * rng.standard_t(5, (INPUTS, PAIRS)) / np.sqrt(5 / 3)
    return {number: [(1.0, float(np.exp(one))) for one in row] for number, row in enumerate(logs)}


def missed(process_spread, seed):
    """Whether any look's interval leaves out the true ratio."""
    rng, confidence = np.random.default_rng(seed), look_confidence(LOOKS, CONFIDENCE)
    launches = [launch_of(rng, process_spread, 1.0) for _ in range(LOOKS[-1])]
    intervals = [interval_of_launches(launches[:look], confidence) for look in LOOKS]
    return any(interval.low > 1 or interval.high < 1 for interval in intervals)


class Drawn:
    """One launch, whose pairs all come in its only round."""

    def __init__(self, pairs):
        self._pairs = pairs

    def one_round(self):
        pass

    def times_ns(self):
        return self._pairs


def judged(draw, effect, rules, looks, seed):
    """What a duel says of launches that are drawn so."""
    rng = np.random.default_rng(seed)

    @contextmanager
    def start():
        yield Drawn(draw(rng, effect))

    duel = DuelUnderWay("simulated", start, rules, looks=looks)
    while not duel.is_done:
        duel.go_on()
    return duel.ended().finding.verdict


def recorded_launch(launches, rng, effect):
    """One of the recorded ones, with an effect on top."""
    ratios = launches[rng.integers(len(launches))]
    return {number: [(1.0, ratio * effect) for ratio in row] for number, row in enumerate(ratios)}


def made_up_launch(process_spread, rng, effect):
    return launch_of(rng, process_spread, effect)


def main():
    recorded = Path(sys.argv[1]) if len(sys.argv) > 1 else RECORDED
    launches = defaultdict(list)
    for line in recorded.read_text().splitlines():
        gate = json.loads(line)
        if (gate["case"], gate["hog"]) == ("same", False):
            for row in gate["rows"]:
                launches[row["what"]].extend(row["launches"])
    with ProcessPoolExecutor() as pool:
        for spread in PROCESS_SPREADS:
            share = np.mean(list(pool.map(partial(missed, spread), range(RUNS), chunksize=50)))
            print(f"processes differ by {spread:.0%}: {share:.1%} of {RUNS} duels miss the truth at any look"
                  f" (allowed {1 - CONFIDENCE:.0%})", flush=True)  # fmt: skip
        sources = {f"made up, processes differ by {s:.0%}": partial(made_up_launch, s) for s in PROCESS_SPREADS}
        sources |= {what: partial(recorded_launch, rows) for what, rows in launches.items() if rows}
        for name, draw in sources.items():
            how = (Rules(max_slowdown=MAX_TURN_SLOWDOWN), TURN_LOOKS) if name == CALL else (Rules(), LOOKS)
            for effect in EFFECTS:
                said = Counter(pool.map(partial(judged, draw, effect, *how), range(RUNS), chunksize=50))
                shares = ", ".join(f"{verdict} {said[verdict] / RUNS:.1%}" for verdict in
                                   (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL))  # fmt: skip
                print(f"{name}, {effect - 1:+.0%}: {shares}", flush=True)


if __name__ == "__main__":
    main()
