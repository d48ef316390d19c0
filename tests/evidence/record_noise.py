"""Take the noise of identical workers out of `real_engines.py`'s duels, for `simulated.py` to replay.

.venv/bin/python tests/evidence/record_noise.py DUELS.jsonl
"""

import json
import sys
from pathlib import Path

from simulated import RECORDED


def main():
    duels = [json.loads(line) for line in Path(sys.argv[1]).read_text().splitlines()]
    noise = [
        {"engine": duel["engine"], "case": duel["case"], "ratios": list(duel["ratios"].values())}
        for duel in duels
        if duel["case"].startswith("same")
    ]
    RECORDED.write_text("[\n" + ",\n".join(map(json.dumps, noise)) + "\n]\n")
    print(f"{len(noise)} pairs of processes in {RECORDED}")


if __name__ == "__main__":
    main()
