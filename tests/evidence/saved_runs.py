"""How often comparisons of saved runs, and listings of them, are wrong, in simulation. Pure numbers, some 20 minutes.

.venv/bin/python tests/evidence/saved_runs.py
"""

from concurrent.futures import ProcessPoolExecutor
from itertools import product

import numpy as np

from voiceperf.judge.changepoints import change_points
from voiceperf.judge.noise import change_of_runs, least_seen, noise_of
from voiceperf.judge.regression import MAX_SLOWDOWN

COMPARISONS = 400
LISTINGS = 200
WORKLOADS = 5
FORMS = ((3, 4), (7, 2), (7, 10), (1, 8))  # turns, and pairs of each
PROCESSES = (0.0, 0.02, 0.04)  # what they differ by, in logs
LAUNCHES = (0.0, 0.02, 0.05, 0.08)  # likewise whole runs
EARLIER = (0, 3, 8)  # runs of the same engines that the machine has


def run(rng, case, effect=0.0):
    (turns, pairs), process, launch = case
    shift = rng.normal(0, launch) + effect
    return {
        turn: [(1.0, float(np.exp(x))) for x in rng.normal(turn + shift + rng.normal(0, process), 0.05, pairs)]
        for turn in range(turns)
    }


def comparison(rng, case, earlier, effect=0.0):
    known = [noise_of([run(rng, case) for _ in range(earlier)])] if earlier else []
    return change_of_runs(run(rng, case), run(rng, case, effect), known)


def compared(case, earlier):
    """Shares that miss the truth, that raise an alarm with nothing changed, and that see what they say they see."""
    rng = np.random.default_rng(61)
    unchanged = [comparison(rng, case, earlier) for _ in range(COMPARISONS)]
    seen = float(np.median([least_seen(one, MAX_SLOWDOWN, 0.025) for one in unchanged]))
    slower = [comparison(rng, case, earlier, np.log1p(seen)) for _ in range(COMPARISONS)]
    return (
        np.mean([not one.low <= 1 <= one.high for one in unchanged]),
        np.mean([one.low > 1 + MAX_SLOWDOWN for one in unchanged]),
        seen,
        np.mean([one.low > 1 + MAX_SLOWDOWN for one in slower]),
    )


def listed(runs, heavy):
    """The share of steady listings of five histories in which a shift is seen."""
    rng = np.random.default_rng(runs)

    def steady():
        noise = rng.standard_t(5, runs) / np.sqrt(5 / 3) if heavy else rng.normal(size=runs)
        return np.exp(0.04 * noise).tolist()

    return np.mean([any(change_points(steady(), WORKLOADS) for _ in range(WORKLOADS)) for _ in range(LISTINGS)])


def main():
    cases = [(case, earlier) for *case, earlier in product(FORMS, PROCESSES, LAUNCHES, EARLIER)]
    lengths = list(product((5, 8, 12, 20, 40), (False, True)))
    with ProcessPoolExecutor() as pool:
        for (case, earlier), shares in zip(cases, pool.map(compared, *zip(*cases, strict=True)), strict=True):
            (turns, pairs), process, launch = case
            missed, alarm, seen, found = shares
            print(
                f"{turns} turns of {pairs} pairs, processes {process:.0%}, runs {launch:.0%} apart, {earlier} earlier:"
                f" {missed:.1%} miss, {alarm:.1%} false alarms, {seen:+.0%} said to be seen, {found:.1%} seen",
                flush=True,
            )
        for (runs, heavy), share in zip(lengths, pool.map(listed, *zip(*lengths, strict=True)), strict=True):
            tails = "heavy" if heavy else "normal"
            print(f"steady listings of {runs} runs, {tails} tails: {share:.1%} show a shift", flush=True)


if __name__ == "__main__":
    main()
