"""How often the gate is right: whole runs of `voiceperf gate` on unchanged code, and on code with a planted fault.

    .venv/bin/python tests/evidence/gates.py OUT.jsonl same [--repeat 30]
    .venv/bin/python tests/evidence/gates.py OUT.jsonl slower-5 slower-10 --only hearing thinking speaking [--repeat 4]
    .venv/bin/python tests/evidence/gates.py OUT.jsonl worse-hearing worse-thinking worse-speaking [--repeat 6]

Each line of OUT is one gate with its rows. Unchanged code is gated whole; a planted fault in the role that has it.
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
from dataclasses import dataclass
from pathlib import Path

from voiceperf.roles import ROLES

ROOT = Path(__file__).parents[2]
TIMED = "    wall_ns, cpu_ns = clock.wall_ns() - start"
SPIN = """    planted_ns = (clock.wall_ns() - start) * (1 + {share})
    while clock.wall_ns() - start < planted_ns:
        pass
"""


@dataclass(frozen=True)
class Plant:
    """What the last commit of a clone changes in a file of `src/voiceperf`, and the role it is told by, if one."""

    file: str
    changes: dict[str, str]
    role: str = ""


def slower(share):
    return Plant("measure/clock.py", {TIMED: SPIN.format(share=share) + TIMED})


CASES = {
    "same": Plant("measure/clock.py", {TIMED: "    # nothing\n" + TIMED}),
    **{f"slower-{percent}": slower(percent / 100) for percent in (2, 3, 5, 10)},
    # 0.09 nats a token where 0.06 are allowed
    "worse-hearing": Plant(
        "profiles/shipped.toml", {"audio_ctx = 512": "audio_ctx = 256", "silence_ctx = 768\n": ""}, "hearing"
    ),
    # 0.025 nats of KL divergence where 0.02 are
    "worse-thinking": Plant(
        "engines/llama_scores.py", {"(llm, tokens, 0)[:-1])": "(llm, tokens, 0)[:-1] * np.float32(0.9))"}, "thinking"
    ),
    # 3.6 dB softer where 3 are
    "worse-speaking": Plant(
        "engines/kokoro.py",
        {"lang, trim=False)": "lang, trim=False)\n            audio = audio * np.float32(0.66)"},
        "speaking",
    ),
}


def checkout(folder, plant):
    """A clone with the plant as its last commit."""
    git = ["git", "-C", folder, "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run(["git", "clone", "--quiet", ROOT, folder], check=True)
    path = Path(folder, "src", "voiceperf", plant.file)
    text = path.read_text()
    for old, new in plant.changes.items():
        assert text.count(old) == 1, (plant.file, old)
        text = text.replace(old, new)
    path.write_text(text)
    subprocess.run([*git, "commit", "--quiet", "--all", "--allow-empty", "--message", "planted"], check=True)
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
        {
            **{key: row.get(key) for key in ("what", "verdict", "reason", "interval", "rounds", "text", "quality")},
            "launches": ratios(row),
        }
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
                roles = [CASES[case].role] if CASES[case].role else wanted.only
                for only in [[role] for role in roles] or [[]]:
                    with hog() if wanted.hog else nullcontext():
                        found = gated(clone, only)
                    record = {"case": case, "only": only, "hog": wanted.hog, **found}
                    with wanted.out.open("a") as lines:
                        lines.write(json.dumps(record) + "\n")
                    print(case, only, found["exit"], found["seconds"], flush=True)


if __name__ == "__main__":
    main()
