"""Count what `real_engines.py` has found.

.venv/bin/python tests/evidence/summary.py DUELS.jsonl
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median

from scipy.stats import binomtest

EXPECTED = {"same": "same", "slower": "slower", "faster": "faster"}


def main():
    groups = defaultdict(list)
    for line in Path(sys.argv[1]).read_text().splitlines():
        duel = json.loads(line)
        groups[duel["case"]].append(duel)
    for case, duels in groups.items():
        expected = EXPECTED[case.split("-")[0]]
        told = [duel["change"] for duel in duels]
        right = told.count(expected)
        wrong = sum(change in ("slower", "faster") and change != expected for change in told)
        interval = binomtest(right, len(duels)).proportion_ci(method="wilson")
        seconds = [duel["seconds"] for duel in duels]
        print(
            f"{case}: {len(duels)} duels, {right} {expected} [{interval.low:.0%}, {interval.high:.0%}],"
            f" {told.count('unclear')} unclear, {wrong} wrong, {median(seconds):.0f} s, at most {max(seconds):.0f} s"
        )
        for engine in dict.fromkeys(duel["engine"] for duel in duels):
            own = [duel for duel in duels if duel["engine"] == engine]
            print(f"  {engine}: {[duel['change'] for duel in own]} {[duel['estimates'] for duel in own]}")


if __name__ == "__main__":
    main()
