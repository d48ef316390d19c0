"""A saved run with everything in it, small, and changed by each test as it likes."""

import hashlib

import numpy as np
import pytest

from voiceperf.history import sounds
from voiceperf.history.runs import parse_run

WORKLOADS = ("whisper", "llama", "llama_cold", "kokoro", "call")


def criterion(title, baseline, **changes):
    row = {
        "criterion": title,
        "baseline": baseline,
        "unit": "ratio",
        "estimate": 0.25,
        "low": 0.22,
        "high": 0.28,
        "samples": 6,
        "bar": 0.7,
        "aim": 0.3,
        "quality": "WER 17.3% -> 17.5%",
        "quality_verdict": "PASS",
        "quality_reason": "fine",
        "checks": [{"what": "WER difference", "value": 0.0145, "bar": 0.02}],
        "verdict": "PASS",
        "reason": "time ratio: 0.28 at worst, bar 0.7",
    }
    return row | changes


def benchmark(workload, profile, partner, turn):
    pairs = [[4e8 + 1e6 * turn, 1e8], [4.1e8, 1.02e8], [3.9e8, 0.99e8]]
    name = f"test_turn[turn_{turn}-{profile}-{workload}]"
    extra = {"workload": workload, "profile": profile, "partner": partner, "turn": turn, "pairs_wall_ns": pairs}
    return {"fullname": f"t.py::{name}", "name": name, "stats": {"median": pairs[0][0] / 1e9}, "extra_info": extra}


def stages(overall):
    names = ("queue", "ASR", "LLM first token", "first clause", "TTS first audio", "network")
    return {name: overall / len(names) for name in names} | {"overall": overall}


@pytest.fixture
def samples():
    return {word: (0.1 * np.sin(np.arange(2400) * k / 9)).astype(np.float32) for k, word in enumerate(("a", "b"), 1)}


@pytest.fixture
def digests(samples):
    return {word: hashlib.sha256(sound.tobytes()).hexdigest() for word, sound in samples.items()}


@pytest.fixture
def storage(tmp_path, samples, digests):
    for word, sound in samples.items():
        sounds.keep(tmp_path, digests[word], sound, 24_000)
    return tmp_path


@pytest.fixture
def document(digests):
    sides = [("seed", "shipped"), ("fair", "shipped"), ("shipped", "control")]
    heard = {
        "seed": {"text": "may name is ann"},
        "fair": {"text": "my name is ann"},
        "shipped": {"text": "my name is dan"},
    }
    said = {"seed": "a", "fair": "a", "shipped": "b"}
    spoken = {profile: {"text": "thursday then", "sound": digests[word]} for profile, word in said.items()}
    titles = ["whisper: inference time of the chunks", "overall: chunk end to first audio"]
    rows = [criterion(title, baseline) for baseline in ("seed", "fair") for title in titles]
    rtf = {"unit": "RTF", "estimate": 0.094, "low": 0.09, "high": 0.104, "bar": 0.6, "aim": 0.4}
    rows.append(criterion("kokoro: RTF heard, worst text", "fair", **rtf))
    load = {"unit": "p95 factor", "estimate": None, "low": None, "high": None, "bar": 30.0, "aim": None, "samples": 0}
    rows.append(criterion("stability: three engines at once", "unloaded", **load))
    return {
        "datetime": "2026-11-23T11:45:15",
        "commit_info": {"id": "f8f74ddd22", "dirty": False},
        "machine_info": {
            "voiceperf": {"id": "b33d", "machine_id": "m1", "cpu": "AMD EPYC", "libraries": {"numpy": "2.4"}}
        },
        "benchmarks": [benchmark(work, *side, turn) for work in WORKLOADS for side in sides for turn in (1, 2)],
        "voiceperf": {
            "form": "full",
            "call": "c",
            "candidate": "shipped",
            "control_s": 0.03,
            "criteria": rows,
            "stages_ms": {"fair": {"1": [stages(400.0)]}, "shipped": {"1": [stages(100.0), stages(120.0)]}},
            "examples": {
                "whisper": {"wav/a.wav": {"reference": "My name is Ann.", "kind": "sentence", "by_profile": heard}},
                "kokoro": {"turn 1": {"reference": "Thursday, then?", "by_profile": spoken}},
            },
        },
    }


@pytest.fixture
def run(document):
    return lambda: parse_run(document, "0007_f8f74dd.json")
