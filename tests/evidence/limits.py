"""How far decoding, hearing and speaking are from what this machine's memory and cores allow.

    .venv/bin/python tests/evidence/limits.py

Memory: two equal buffers compared by the C library, one pair a core, which only reads. Arithmetic: NumPy's float32
matrix product on all cores, times four for bytes, as a VNNI instruction takes four products where FMA takes one. What
Kokoro multiplies is read off the shapes in ONNX Runtime's profile of the model as it is.
"""

import ctypes
import json
import math
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kokoro_onnx
import numpy as np
import onnxruntime

from voiceperf import call, machine, places, profiles
from voiceperf.engines.kokoro import load_voice
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.models.store import locate
from voiceperf.suite.workloads import REPLY_TOKENS, requests

REPEATS = 9
BUFFER_BYTES = 128 << 20
SIZE = 3072  # of the square matrices
# whisper base (Radford et al. 2022, table 1): six layers of width 512, four square matrices and two four times as wide
WIDTH, LAYERS = 512, 6


def best_s(work):
    """The shortest of a few runs: a limit is what the machine can do, not what it did in a noisy moment."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return min(taken)


def bandwidth_bytes_per_s():
    cores = machine.cores().performance
    buffers = [np.zeros(BUFFER_BYTES, np.uint8) + 1 for _ in range(2 * cores)]
    compare = ctypes.CDLL(None).memcmp
    compare.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
    pairs = [(a.ctypes.data, b.ctypes.data, BUFFER_BYTES) for a, b in zip(buffers[::2], buffers[1::2], strict=True)]
    with ThreadPoolExecutor(cores) as pool:
        return 2 * cores * BUFFER_BYTES / best_s(lambda: list(pool.map(lambda pair: compare(*pair), pairs)))


def byte_products_per_s():
    a, b = np.random.default_rng(1).random((2, SIZE, SIZE), np.float32)
    return 4 * SIZE**3 / best_s(lambda: a @ b)


def recorded_call():
    return call.load(places.fixtures_dir() / "calls" / "call61.toml")


def timings(engine, turn):
    recorded = recorded_call()
    with WorkerProcess(of_profile(profiles.load("shipped"), engine)) as worker:
        worker.load("work", requests(recorded, engine, recorded.turns[turn])[engine])
        return min((worker.run("work") for _ in range(REPEATS)), key=lambda timing: timing.wall_ns), worker.output()


def convolved_products(text):
    """How many products of bytes the integer convolutions of one text need."""
    params = of_profile(profiles.load("shipped"), "kokoro").params
    voice = load_voice(locate(params.voice))
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.enable_profiling, options.profile_file_prefix = True, f"{folder}/profile"
        session = onnxruntime.InferenceSession(str(locate(params.model)), options)
        np.savez(f"{folder}/voices.npz", voice=voice)
        kokoro_onnx.Kokoro.from_session(session, f"{folder}/voices.npz").create(text, voice)
        events = json.loads(Path(session.end_profiling()).read_text())
    shapes = [
        [next(iter(given.values())) for given in event["args"]["input_type_shape"]]
        for event in events
        if event.get("args", {}).get("op_name") == "ConvInteger" and event["name"].endswith("kernel_time")
    ]
    return sum(math.prod(weights) * signal[-1] for signal, weights, *_ in shapes)


def report(name, needed_s, took_s):
    print(f"{name}: {took_s * 1e3:.2f} ms, the limit {needed_s * 1e3:.2f} ms, {took_s / needed_s:.1f} times it")


def main():
    bandwidth, products = bandwidth_bytes_per_s(), byte_products_per_s()
    print(f"memory {bandwidth / 1e9:.0f} GB/s, {products / 1e9:.0f} billion products of bytes a second")
    weights = Path(locate(of_profile(profiles.load("shipped"), "llama").params.model)).stat().st_size
    timing, _ = timings("thinking", 0)
    took = (timing.wall_ns / 1e6 - timing.ttft_ms) / 1e3 / (REPLY_TOKENS - 1)
    report("llama.cpp, a token", weights / bandwidth, took)
    timing, heard = timings("hearing", 0)
    params = of_profile(profiles.load("shipped"), "whisper").params
    frames = params.context(round(heard.audio_s * 16_000)).frames
    report("whisper.cpp, the matrices of the encoder", LAYERS * 12 * WIDTH**2 * frames / products, timing.wall_ns / 1e9)
    timing, _ = timings("speaking", 0)
    text = requests(recorded_call(), "speaking", recorded_call().turns[0])["speaking"].text
    report("Kokoro, the convolutions of a reply", convolved_products(text) / products, timing.wall_ns / 1e9)


if __name__ == "__main__":
    main()
