"""What pytest-benchmark's own columns say of the same code an hour later, and of a tenth more.

    .venv/bin/python tests/evidence/columns.py FOLDER first
    .venv/bin/python tests/evidence/columns.py FOLDER again      # an hour later
    .venv/bin/python tests/evidence/columns.py FOLDER slower-10  # every engine of the shipped profile
    .venv/bin/python tests/evidence/columns.py FOLDER show

Each of the first three is one session of `pytest tests/perf`, saved under FOLDER. `show` holds the later ones against
the first as `--benchmark-compare` does: median by median, in times over the control's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import median

from gates import SPIN, TIMED, Plant, checkout

SUBJECT = "shipped"
FIRST, AGAIN, SLOWER = "first", "again", "slower-10"
PLANTS = {
    FIRST: {},
    AGAIN: {},
    # only where the shipped profile's own kernels are: the control must stay what it was
    SLOWER: {TIMED: SPIN.format(share='(0.1 if getattr(engine.params, "vnni_kernels", False) else 0)') + TIMED},
}


def session(folder, case):
    """One session of the turns' benchmarks, saved under its name."""
    with tempfile.TemporaryDirectory() as place:
        clone = checkout(Path(place, case), Plant("measure/clock.py", PLANTS[case]))
        command = [sys.executable, "-m", "pytest", "tests/perf", "-k", "test_turn", "-p", "no:cacheprovider", "-q"]
        saved = [f"--benchmark-save={case}", f"--benchmark-storage={folder.resolve()}"]
        environment = {**os.environ, "PYTHONPATH": str(clone / "src")}
        subprocess.run([*command, *saved], cwd=clone, env=environment, check=True)


def medians(folder, case):
    """By benchmark, of the latest session of that name."""
    latest = sorted(folder.glob(f"*/*_{case}.json"))[-1]
    return {one["fullname"]: one["stats"]["median"] for one in json.loads(latest.read_text())["benchmarks"]}


def show(folder):
    """By workload the median turn's change, and every turn's."""
    first = medians(folder, FIRST)
    for case in (AGAIN, SLOWER):
        changes = defaultdict(list)
        for name, after in medians(folder, case).items():
            _, profile, workload = name.rpartition("[")[2].rstrip("]").split("-")
            if profile == SUBJECT:
                changes[workload].append(after / first[name] - 1)
        for workload, found in changes.items():
            print(f"{case}: {workload}: {median(found):+.1%} (turns: {', '.join(f'{one:+.1%}' for one in found)})")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=[*PLANTS, "show"])
    wanted = parser.parse_args()
    if wanted.what == "show":
        show(wanted.folder)
    else:
        session(wanted.folder, wanted.what)


if __name__ == "__main__":
    main()
