"""llama.cpp's own benchmark beside our engine: the same weights, prompt length and number of tokens."""

import json
import subprocess
from statistics import median

from voiceperf import call, machine, places, profiles
from voiceperf.judge.statistics import ratio_interval
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.models.store import locate
from voiceperf.suite.workloads import REPLY_TOKENS, THINKING_COLD, requests

ROUNDS = 6
CALL = call.load(places.fixtures_dir() / "calls" / "call61.toml")
TURN = CALL.turns[0]


def theirs_ms(program, model, prompt_tokens):
    """To read the prompt, and to choose the reply's tokens after it; the program warms itself up."""
    common = [program, "-m", str(model), "-t", str(machine.cores().performance), "-r", "1", "-o", "json"]
    asked = {
        THINKING_COLD: ["-p", str(prompt_tokens), "-n", "0"],
        "thinking": ["-p", "0", "-n", str(REPLY_TOKENS), "-d", str(prompt_tokens)],
    }
    found = {}
    for workload, arguments in asked.items():
        done = subprocess.run([*common, *arguments], capture_output=True, text=True, check=True)
        found[workload] = json.loads(done.stdout)[0]["avg_ns"] / 1e6
    return found


def measured(program):
    """Rows of name, prompt ms, reply ms, and the shipped profile's time over it, for the prompt and for the reply."""
    workers = {name: WorkerProcess(of_profile(profiles.load(name), "llama")) for name in ("fair", "shipped")}
    work = {
        name: request
        for name, request in requests(CALL, "thinking", TURN).items()
        if name in ("thinking", THINKING_COLD)
    }
    times = {name: {workload: [] for workload in work} for name in ("llama-bench", *workers)}
    for worker in workers.values():
        for workload, request in work.items():
            worker.load(workload, request)
            worker.run(workload)
    workers["fair"].run(THINKING_COLD)
    prompt_tokens = workers["fair"].output().prompt_tokens
    model = locate(of_profile(profiles.load("fair"), "llama").params.model)
    for number in range(ROUNDS):
        print(f"llama-bench: round {number + 1} of {ROUNDS}", flush=True)
        for workload, taken in theirs_ms(program, model, prompt_tokens).items():
            times["llama-bench"][workload].append(taken)
        for name, worker in workers.items():
            for workload in work:
                times[name][workload].append(worker.run(workload).wall_ms)
    for worker in workers.values():
        worker.close()
    return [
        [
            name,
            *(f"{median(times[name][workload]):.0f}" for workload in (THINKING_COLD, "thinking")),
            *_over(times, name),
        ]
        for name in times
    ]


def _over(times, name):
    """The shipped profile's time over another's, for the prompt and for the reply."""
    for workload in (THINKING_COLD, "thinking"):
        ratio = ratio_interval({1: list(zip(times[name][workload], times["shipped"][workload], strict=True))})
        yield "1" if name == "shipped" else f"{ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"
