"""Duels of the real engines whose answer is known: identical code, and a slowdown planted in one side's worker.

    .venv/bin/python tests/evidence/real_engines.py OUT.jsonl [CASE ...] [--engine whisper] [--repeat 4]

Each line of OUT is one duel with every pair; `summary.py` counts them. Interrupt it freely, and go on later.
"""

import argparse
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

from voiceperf import call, places, profiles
from voiceperf.engines import role_named
from voiceperf.measure.contender import of_profile
from voiceperf.profiles import PLAYERS
from voiceperf.suite.duel import LOOKS, Rules, run_duel
from voiceperf.suite.workloads import duel_requests

SOURCE = Path(call.__file__).parent
TIMED = "    wall_ns, cpu_ns = clock.wall_ns() - start"
SPIN = """    planted_ns = (clock.wall_ns() - start) * (1 + {share})
    while clock.wall_ns() - start < planted_ns:
        pass
"""
# how much slower the baseline's and the candidate's workers are, and whether another process keeps a core busy
CASES = {
    "same": (0.0, 0.0, False),
    "same-with-hog": (0.0, 0.0, True),
    "slower-10": (0.0, 0.10, False),
    "slower-5": (0.0, 0.05, False),
    "faster-10": (0.10, 0.0, False),
    "faster-5": (0.05, 0.0, False),
}


def planted(folder, share):
    """A copy of the source whose timed runs take longer by a share, burning the processor meanwhile."""
    if not share:
        return {}
    root = folder / f"slower-{share}"
    if not root.exists():
        shutil.copytree(SOURCE, root / SOURCE.name, ignore=shutil.ignore_patterns("__pycache__"))
        clock = root / SOURCE.name / "measure" / "clock.py"
        text = clock.read_text()
        assert text.count(TIMED) == 1
        clock.write_text(text.replace(TIMED, SPIN.format(share=share) + TIMED))
    return {"PYTHONPATH": str(root)}


@contextmanager
def hog():
    """Another process that wants a whole core."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def by_process(times_ns):
    """The ratios of each pair of processes, by input: a duel starts fresh ones at every look."""
    ratios = [[round(after / before, 4) for before, after in pairs] for pairs in times_ns.values()]
    edges = [0, *LOOKS]
    found = [[row[start:end] for row in ratios] for start, end in itertools.pairwise(edges)]
    return [rows for rows in found if rows[0]]


def duelled(case, engine, folder):
    """One duel, as a record."""
    recording = call.load(places.fixtures_dir() / "calls" / "call61.toml")
    inputs = duel_requests(recording, role_named(engine))
    contender = of_profile(profiles.load("shipped"), engine)
    baseline, candidate, busy = CASES[case]
    sides = [replace(contender, env={**contender.env, **planted(folder, share)}) for share in (baseline, candidate)]
    begun = time.perf_counter()
    with hog() if busy else nullcontext():
        duel = run_duel(*sides, inputs, Rules())
    experiments = [one for one in (duel.first, duel.fresh) if one]
    return {
        "case": case,
        "engine": engine,
        "change": duel.change,
        "verdict": duel.finding.verdict,
        "reason": duel.finding.reason,
        "seconds": round(time.perf_counter() - begun, 1),
        "rounds": [one.rounds for one in experiments],
        "processes": by_process(duel.first.times_ns),
        "estimates": [round(one.interval.estimate, 4) for one in experiments],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("case", nargs="*", default=list(CASES))
    parser.add_argument("--engine", nargs="+", default=list(PLAYERS.values()))
    parser.add_argument("--repeat", type=int, default=4)
    wanted = parser.parse_args()
    wanted.out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(wanted.repeat):
            for case in wanted.case:
                for engine in wanted.engine:
                    record = duelled(case, engine, Path(folder))
                    with wanted.out.open("a") as lines:
                        lines.write(json.dumps(record) + "\n")
                    print({name: value for name, value in record.items() if name != "processes"}, flush=True)


if __name__ == "__main__":
    main()
