"""When a caller's words count as finished: how long they wait for that, and how many are cut off.

    .venv/bin/python tests/evidence/end_of_turn.py [--use calibration] [--guess MS] [--pauses]

On the recordings that judge, as they are, each followed by silence. The shipped profile's whisper transcribes the words
up to each pause of so many ms, and where they read as a finished sentence a shorter silence is enough. What it takes is
added to the moment at which that is known. One row for each pair of silences: after a finished sentence, and else.

With --pauses each recording of two seconds and more gets a pause where it is quietest in its middle third, as somebody
makes it who looks for a word: 0.5 s in the median, half of them between 0.35 and 0.7 s (lognormal; Campione and Veronis
2002 found such pauses in five languages).
"""

import argparse
import itertools

import numpy as np

from voiceperf import profiles
from voiceperf.audio import SPEECH_MIN_SAMPLES, SPEECH_RATE_HZ, read_speech
from voiceperf.engines.base import Utterance
from voiceperf.judge.text import score, word_error_rate
from voiceperf.live.barge_in import sounding
from voiceperf.live.end_of_turn import Silence, reads_as_finished
from voiceperf.measure.contender import Side
from voiceperf.measure.process import Stopper, WorkerProcess
from voiceperf.places import fixtures_dir
from voiceperf.quality.corpus import JUDGING, read_manifest
from voiceperf.roles import HEARING
from voiceperf.vad import SpeechDetector

SILENCES_MS = (300.0, 400.0, 500.0, 700.0, 1000.0)
PAUSE_S, PAUSE_SPREAD = 0.5, 0.5  # the median, and the standard deviation of the logarithm
STEP = SPEECH_RATE_HZ // 50  # as a telephone sends it


def asked(worker, audio):
    """What whisper makes of it, and how long that takes, ms."""
    timing, output = worker.stream(Utterance(audio), lambda part, at: None, Stopper())
    return output.text, timing.wall_ms


def heard(worker, detector, audio, guess_ms):
    """Every 20 ms: since the last sound, silent for so long, and whether the words are known to be whole; all guesses.

    The guesses are what was heard up to each pause.
    """
    silence, last = Silence(SPEECH_RATE_HZ, detector), sounding(audio).stop
    sound = np.concatenate([audio, np.zeros(2 * SPEECH_RATE_HZ, np.float32)])
    moments, guesses, guessed_at, known_ms = [], [""], 0, np.inf
    for end in range(STEP, len(sound) + 1, STEP):
        silence.add(sound[end - STEP : end])
        since_ms = 1000 * (end - last) / SPEECH_RATE_HZ
        is_pause = silence.has_spoken and silence.ms >= guess_ms and end >= SPEECH_MIN_SAMPLES
        if is_pause and guessed_at != silence.spoken_frames:
            guessed_at = silence.spoken_frames
            text, took_ms = asked(worker, sound[:end])
            guesses.append(text)
            known_ms = since_ms + took_ms
        is_known = guessed_at == silence.spoken_frames and since_ms >= known_ms
        moments.append((since_ms, silence.ms, is_known and reads_as_finished(guesses[-1])))
    return moments, guesses


def with_pause(audio, rng):
    """The same words with a pause within them."""
    third, window = len(audio) // 3, SPEECH_RATE_HZ // 20
    starts = range(third, 2 * third, window // 2)
    quietest = min(starts, key=lambda start: float(np.square(audio[start : start + window]).sum()))
    place, pause_s = quietest + window // 2, float(np.exp(rng.normal(np.log(PAUSE_S), PAUSE_SPREAD)))
    return np.concatenate([audio[:place], np.zeros(int(pause_s * SPEECH_RATE_HZ), np.float32), audio[place:]])


def ended_ms(moments, finished_ms, else_ms):
    """The moment at which the words count as finished; None where they never do."""
    return next(
        (since for since, silent, finished in moments if silent >= (finished_ms if finished else else_ms)),
        None,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--use", default=JUDGING)
    parser.add_argument("--guess", type=float, default=60.0)
    parser.add_argument("--pauses", action="store_true")
    wanted = parser.parse_args()
    everything = read_manifest(fixtures_dir() / "audio" / "manifest.jsonl")
    recordings = [one for one in everything if one.use == wanted.use]
    audios, detector = [read_speech(one.path) for one in recordings], SpeechDetector()
    if wanted.pauses:
        rng = np.random.default_rng(61)
        longer = [pair for pair in zip(recordings, audios, strict=True) if len(pair[1]) >= 2 * SPEECH_RATE_HZ]
        recordings, audios = [one for one, _ in longer], [with_pause(audio, rng) for _, audio in longer]
    worker = WorkerProcess(Side("shipped", profiles.load("shipped")).contender(HEARING))
    found = [heard(worker, detector, audio, wanted.guess) for audio in audios]
    whole = [asked(worker, audio)[0] for audio in audios]
    worker.close()
    for what, texts in (("guesses", [guesses[-1] for _, guesses in found]), ("whole recordings", whole)):
        rate = word_error_rate([score(one.text, text) for one, text in zip(recordings, texts, strict=True)])
        print(f"WER of {what}: {rate:.1%}")
    print(f"guesses a recording: {sum(len(guesses) - 1 for _, guesses in found) / len(found):.2f}\n")
    print("| after a sentence | else | cut off | never ended | p50 ms | p95 ms |\n| -- | -- | -- | -- | -- | -- |")
    for finished_ms, else_ms in itertools.combinations_with_replacement(SILENCES_MS, 2):
        ends = [ended_ms(moments, finished_ms, else_ms) for moments, _ in found]
        whole = [end for end in ends if end is not None and end >= 0]
        p50, p95 = np.percentile(whole, [50, 95])
        cut = sum(end is not None and end < 0 for end in ends) / len(ends)
        silences = f"{finished_ms:.0f} ms | {else_ms:.0f} ms"
        print(f"| {silences} | {cut:.1%} | {ends.count(None)} | {p50:.0f} | {p95:.0f} |")


if __name__ == "__main__":
    main()
