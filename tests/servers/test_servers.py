"""Engines behind URLs, on servers by others: everything that takes an engine takes them."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from voiceperf.places import fixtures_dir

pytestmark = pytest.mark.models

SPEECH = fixtures_dir() / "audio" / "flac" / "jfk_d001.flac"
KEY = "sk-nobody-may-see-this-42"


def run(*arguments, codes=(0,), program="voiceperf", cwd=None, **environment):
    line = [str(Path(sys.executable).with_name(program)), *map(str, arguments)]
    done = subprocess.run(
        line, capture_output=True, text=True, check=False, cwd=cwd, env=os.environ | environment, timeout=600
    )
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in codes, done.stdout + done.stderr
    return done


def rows(done):
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def thinking(url, key_env="", model="smollm2-135m-instruct-q8_0"):
    return f'[roles]\nthinking = "openai_thinking"\n[openai_thinking]\nurl = "{url}"\nmodel = "{model}"\n' + (
        f'key_env = "{key_env}"\n' if key_env else ""
    )


@pytest.fixture(scope="module")
def served(llama_server, hearing_service, speaking_service, tmp_path_factory):
    """A profile all of whose engines are elsewhere."""
    profile = tmp_path_factory.mktemp("profile") / "served.toml"
    with llama_server() as (url, _):
        profile.write_text(f"""
[roles]
hearing = "wyoming_hearing"
thinking = "openai_thinking"
speaking = "wyoming_speaking"
[wyoming_hearing]
url = "{hearing_service}"
[openai_thinking]
url = "{url}"
model = "smollm2-135m-instruct-q8_0"
[wyoming_speaking]
url = "{speaking_service}"
""")
        yield profile


def test_they_hear_think_and_speak(served, tmp_path):
    """Each role by itself, as typed: what one says the other hears."""
    (heard,) = rows(run("transcribe", SPEECH, "--profile", served, "--json"))
    assert "ask not what your country can do for you" in heard["text"].lower().replace(",", "")
    (reply,) = rows(run("reply", "When do you open?", "--profile", served, "--json"))
    assert reply["tokens"] > 3
    assert 0 < reply["ttft_ms"] < reply["wall_ms"]
    run("speak", "The office opens at nine.", "--profile", served, "--out", tmp_path / "a.wav")
    (again,) = rows(run("transcribe", tmp_path / "a.wav", "--profile", served, "--json"))
    assert "office opens at" in again["text"].lower()


def test_a_server_that_transcribes_is_heard(whisper_server, tmp_path):
    """The same by OpenAI's API."""
    table = f'[openai_hearing]\nurl = "{whisper_server}"\nmodel = "whisper-1"\n'
    (tmp_path / "a.toml").write_text(f'[roles]\nhearing = "openai_hearing"\n{table}')
    (heard,) = rows(run("transcribe", SPEECH, "--profile", tmp_path / "a.toml", "--json"))
    assert "ask not what your country can do for you" in heard["text"].lower().replace(",", "")


def test_a_call_is_played_through_them(served):
    """Every turn is answered, in the model's own words."""
    turns = [row for row in rows(run("replay", "--profile", served, "--calls", "1", "--json")) if "turn" in row]
    assert len(turns) == 7
    assert not any(turn.get("error") for turn in turns)


@pytest.mark.slow
def test_models_of_two_servers_are_compared(llama_server, tmp_path):
    """Speed at their own pace, quality by their answers; the same tokens cannot be asked of either."""
    with llama_server() as (one, _), llama_server("smollm2-135m-instruct-q4_1") as (other, _):
        (tmp_path / "one.toml").write_text(thinking(one))
        (tmp_path / "other.toml").write_text(thinking(other, model="smollm2-135m-instruct-q4_1"))
        sides = ("--baseline", tmp_path / "one.toml", "--candidate", tmp_path / "other.toml")
        done = run("compare", "thinking", *sides, "--budget-s", "20", "--json", codes=(0, 10, 11))
    (row,) = rows(done)
    assert row["interval"]["samples"] >= 12
    assert "answers, related" in row["quality"]
    assert row["spent"] == []


@pytest.mark.slow
def test_they_are_compared_with_local_engines(served):
    """Hearing and speaking beside the shipped profile: another voice is judged by what is heard of it alone."""
    sides = ("--baseline", "shipped", "--candidate", served)
    done = run("compare", "hearing", "speaking", "call", *sides, "--json", codes=(0, 10, 11))
    found = {row["what"]: row for row in rows(done)}
    assert found["hearing"]["quality"].startswith("WER")
    assert "another voice" in found["speaking"]["quality"]
    assert found["call"]["verdict"] == "not applicable"
    assert "openai_thinking" in found["call"]["reason"]


@pytest.mark.slow
def test_the_suite_judges_them(served, tmp_path):
    """What they cannot give is not applicable; the rest has its verdicts."""
    options = ("--voiceperf-candidate", served, "--voiceperf-baseline", "fair", "-p", "no:cacheprovider")
    call = fixtures_dir() / "calls" / "call61.toml"
    chosen = ("-k", "test_own_criterion or (test_criterion and hearing) or (test_turn and turn_1)")
    done = run(f"--voiceperf-call={call}", *options, *chosen, program="pytest", cwd=tmp_path, codes=(0, 1))
    assert "not applicable" in done.stdout
    assert "INVALID" not in done.stdout


def test_one_that_dies_is_invalid_with_the_reason(llama_server, tmp_path):
    """Killed in the middle of a comparison, it ends INVALID and names the address."""
    with llama_server() as (url, server):
        (tmp_path / "a.toml").write_text(thinking(url))
        killing = threading.Timer(8, server.kill)
        killing.start()
        arguments = ("--baseline", tmp_path / "a.toml", "--set", "max_tokens=48", "--json")
        (row,) = rows(run("compare", "thinking", *arguments, codes=(12,)))
        killing.cancel()
    assert row["verdict"] == "INVALID"
    assert url in row["reason"]


def test_a_key_is_seen_by_the_server_alone(llama_server, tmp_path):
    """It is in no file, no output and no command line, also where the server refuses it."""
    seen = []

    def look():
        while None not in seen:
            lines = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
            seen.extend(line for line in lines if KEY in line)
            time.sleep(0.2)

    profile, kept = tmp_path / "a.toml", tmp_path / "kept"
    here = {"MY_KEY": KEY, "VOICEPERF_DATA": str(kept), "VOICEPERF_CACHE": str(kept / "cache")}
    watching = threading.Thread(target=look, daemon=True)
    watching.start()
    with llama_server(api_key="another-key") as (url, _):
        profile.write_text(thinking(url, "MY_KEY"))
        refused = run("reply", "Hello", "--profile", profile, codes=(4,), cwd=tmp_path, **here)
        assert "401" in refused.stderr
        shown = run("profile", "show", profile, cwd=tmp_path, **here)
        report = ("--markdown", tmp_path / "report.md", "--json")
        sides = ("--baseline", profile, "--set", "max_tokens=48")
        compared = run("compare", "thinking", *sides, *report, cwd=tmp_path, codes=(12,), **here)
    seen.append(None)
    watching.join()
    outputs = [one.stdout + one.stderr for one in (refused, shown, compared)]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    assert seen == [None]
    assert not any(KEY in text for text in outputs)
    assert not any(KEY.encode() in text for text in files)
