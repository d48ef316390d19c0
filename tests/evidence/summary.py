"""Count what `gates.py` has found.

.venv/bin/python tests/evidence/summary.py GATES.jsonl
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path
from statistics import median

from scipy.stats import binomtest

RIGHT = {"same": 0, "slower": 10, "worse": 10}


def main():
    groups = defaultdict(list)
    for line in Path(sys.argv[1]).read_text().splitlines():
        gate = json.loads(line)
        groups[gate["case"] + (" beside a busy core" if gate["hog"] else ""), *gate["only"]].append(gate)
    for group, gates in groups.items():
        codes = Counter(gate["exit"] for gate in gates)
        right = codes[RIGHT[group[0].split("-")[0].split()[0]]]
        interval = binomtest(right, len(gates)).proportion_ci(method="wilson")
        seconds = [gate["seconds"] for gate in gates]
        print(
            f"{', '.join(group)}: {len(gates)} gates, {right} right [{interval.low:.0%}, {interval.high:.0%}],"
            f" codes {dict(codes)}, {median(seconds):.0f} s, at most {max(seconds):.0f} s"
        )
        unclear = Counter(row["what"] for gate in gates for row in gate["rows"] if row["verdict"] != "PASS")
        if group[0] == "same" and unclear:
            print(f"  not PASS: {dict(unclear)}")


if __name__ == "__main__":
    main()
