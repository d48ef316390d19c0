"""How soon words are sure while they are still being said, and how often they turn out to be others.

    .venv/bin/python tests/evidence/partials.py

The recordings that judge and last two seconds or more, looked at after every half second, by the shipped profile.
"""

import asyncio
from itertools import takewhile

import numpy as np
from wyoming.asr import TranscriptChunk

from voiceperf import profiles
from voiceperf.audio import SPEECH_RATE_HZ, read_speech
from voiceperf.engines.base import Utterance
from voiceperf.judge.text import words_of
from voiceperf.live.partials import Partials
from voiceperf.measure.contender import Side
from voiceperf.measure.process import Stopper, WorkerProcess
from voiceperf.places import fixtures_dir
from voiceperf.quality.corpus import JUDGING, read_manifest
from voiceperf.roles import HEARING

EVERY_S, LEAST_S = 0.5, 2.0


async def told(texts):
    """The words that were handed out before the last transcript."""
    found = []

    async def send(event):
        if TranscriptChunk.is_type(event.type):
            found.append(TranscriptChunk.from_event(event).text)

    partials = Partials(None, send, EVERY_S)
    for text in texts:
        await partials.add(text)
    return "".join(found)


def main():
    everything = read_manifest(fixtures_dir() / "audio" / "manifest.jsonl")
    audios = [read_speech(one.path) for one in everything if one.use == JUDGING]
    audios = [audio for audio in audios if len(audio) >= LEAST_S * SPEECH_RATE_HZ]
    worker = WorkerProcess(Side("shipped", profiles.load("shipped")).contender(HEARING))
    ahead = wrong = words = 0
    took_ms = []
    for audio in audios:
        ends = range(int(EVERY_S * SPEECH_RATE_HZ), len(audio), int(EVERY_S * SPEECH_RATE_HZ))
        heard = [worker.stream(Utterance(audio[:end]), lambda part, at: None, Stopper()) for end in (*ends, len(audio))]
        took_ms += [timing.wall_ms for timing, _ in heard[:-1]]
        *partial, whole = [output.text for _, output in heard]
        early, final = words_of(asyncio.run(told(partial))), words_of(whole)
        right = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(early, final, strict=False)))
        ahead, wrong, words = ahead + right, wrong + len(early) - right, words + len(final)
    worker.close()
    print(f"{len(audios)} recordings, {words} words: {ahead / words:.0%} were handed out before the end,"
          f" {wrong / words:.1%} were others; a look takes {np.median(took_ms):.0f} ms")  # fmt: skip


if __name__ == "__main__":
    main()
