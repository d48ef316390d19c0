"""How often the gate is right: whole runs of `voiceperf gate` on unchanged code, and on code with a planted slowdown.

    .venv/bin/python tests/evidence/gates.py OUT.jsonl same [--repeat 30]
    .venv/bin/python tests/evidence/gates.py OUT.jsonl slower-5 slower-10 --only hearing thinking speaking [--repeat 4]

Each line of OUT is one gate with its rows. Unchanged code is gated whole; a planted slowdown in the role that has it.
`--hog` keeps a core busy beside it. Interrupt it freely, and go on later.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, nullcontext
from pathlib import Path

from voiceperf.roles import ROLES

ROOT = Path(__file__).parents[2]
CLOCK = Path("src", "voiceperf", "measure", "clock.py")
TIMED = "    wall_ns, cpu_ns = clock.wall_ns() - start"
SPIN = """    planted_ns = (clock.wall_ns() - start) * (1 + {share})
    while clock.wall_ns() - start < planted_ns:
        pass
"""
CASES = {"same": 0.0, "slower-2": 0.02, "slower-3": 0.03, "slower-5": 0.05, "slower-10": 0.10}


def checkout(folder, share):
    """A clone whose last commit makes every timed run slower by a share, or changes nothing but a comment."""
    git = ["git", "-C", folder, "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    text = (folder / CLOCK).read_text()
    assert text.count(TIMED) == 1
    changed = text.replace(TIMED, SPIN.format(share=share) + TIMED) if share else text + "# nothing\n"
    (folder / CLOCK).write_text(changed)
    subprocess.run([*git, "commit", "--quiet", "--all", "--message", "planted"], check=True)
    return folder


@contextmanager
def hog():
    """Another process that wants a whole core."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def ratios(row):
    """Of each launch the ratios of its pairs, by input; what `simulated.py` draws from."""
    return [
        [[round(after / before, 4) for before, after in pairs] for pairs in launch.values()]
        for launch in row.get("launches_ns") or ()
    ]


def gated(folder, only):
    """One gate's exit code, seconds and rows."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    chosen = [option for what in only for option in ("--only", what)]
    command = [f"{sys.prefix}/bin/voiceperf", "gate", "HEAD~1", "--json", *chosen]
    begun = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    shown = [
        {**{key: row.get(key) for key in ("what", "verdict", "interval", "rounds", "text")}, "launches": ratios(row)}
        for row in rows
    ]
    return {"exit": done.returncode, "seconds": round(time.perf_counter() - begun), "rows": shown}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("case", nargs="+", choices=CASES)
    parser.add_argument("--only", nargs="+", choices=ROLES, default=[])
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--hog", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clones = {case: checkout(Path(folder, case), CASES[case]) for case in wanted.case}
        for _ in range(wanted.repeat):
            for case, clone in clones.items():
                for only in [[role] for role in wanted.only] or [[]]:
                    with hog() if wanted.hog else nullcontext():
                        found = gated(clone, only)
                    record = {"case": case, "only": only, "hog": wanted.hog, **found}
                    with wanted.out.open("a") as lines:
                        lines.write(json.dumps(record) + "\n")
                    print(case, only, found["exit"], found["seconds"], flush=True)


if __name__ == "__main__":
    main()
