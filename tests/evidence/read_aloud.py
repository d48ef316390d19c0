"""How a hundred texts as language models write them are read: by plain kokoro-onnx, and by us.

    .venv/bin/python tests/evidence/read_aloud.py [--use calibration] [--show]

`fixtures/text/written.toml` says in words how a person reads each. The errors are those of the words that the voice is
given (ours alone: Kokoro's own rules give phonemes), and of what whisper hears of the speech, beside those words.
"""

import argparse
import statistics
import time
import tomllib
from collections import defaultdict
from dataclasses import replace

from voiceperf import profiles
from voiceperf.audio import as_speech
from voiceperf.engines.base import Line, Utterance
from voiceperf.engines.read_aloud import Reader
from voiceperf.engines.spoken import spoken
from voiceperf.judge.text import score, word_error_rate
from voiceperf.measure.contender import Side
from voiceperf.measure.process import Stopper, WorkerProcess
from voiceperf.places import fixtures_dir
from voiceperf.quality.corpus import JUDGING
from voiceperf.roles import HEARING, SPEAKING

PLAIN, OURS = "plain", "ours"


def output(worker, request):
    return worker.stream(request, lambda part, at: None, Stopper())[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="every text that is heard with an error")
    parser.add_argument("--use", default=JUDGING)
    wanted = parser.parse_args()
    everything = tomllib.loads((fixtures_dir() / "text" / "written.toml").read_text())["text"]
    texts = [text for text in everything if text["use"] == wanted.use]
    reader, took_ms, given = Reader("en-us"), [], {}
    for number, text in enumerate(texts):
        begun_s = time.perf_counter()
        given[number] = reader.read(spoken(text["written"], "en-us"))
        took_ms.append(1000 * (time.perf_counter() - begun_s))
    ours = Side("shipped", profiles.load("shipped"))
    speaker = ours.contender(SPEAKING)
    as_it_is = {"filter_text": False, "by_sentence": False}
    plain = replace(speaker, params=replace(speaker.params, **as_it_is), written={**speaker.written, **as_it_is})
    heard = defaultdict(dict)
    with_ears = WorkerProcess(ours.contender(HEARING))
    for name, contender in ((PLAIN, plain), (OURS, speaker)):
        voice = WorkerProcess(contender)
        for number, text in enumerate(texts):
            speech = output(voice, Line(text["written"]))
            transcript = output(with_ears, Utterance(as_speech(speech.audio, speech.rate_hz, "speech"))).text
            heard[name][number] = score(text["spoken"], transcript)
            if wanted.show and heard[name][number].errors:
                print(f"{name}: {text['spoken']!r}\n  {transcript!r}", flush=True)
        voice.close()
    with_ears.close()
    read = {number: score(text["spoken"], given[number]) for number, text in enumerate(texts)}
    for number, text in enumerate(texts):
        if wanted.show and read[number].errors:
            print(f"read: {text['spoken']!r}\n  {given[number]!r}", flush=True)
    print("| kind | texts | words given | heard, plain | heard, ours |\n| -- | -- | -- | -- | -- |")
    kinds = list(dict.fromkeys(text["kind"] for text in texts))
    for kind in (*kinds, "all"):
        some = [number for number, text in enumerate(texts) if kind in (text["kind"], "all")]
        rates = [word_error_rate([scores[number] for number in some]) for scores in (read, heard[PLAIN], heard[OURS])]
        print(f"| {kind} | {len(some)} | {' | '.join(f'{rate:.1%}' for rate in rates)} |")
    print(f"\nreading takes {statistics.median(took_ms):.2f} ms a text in the median, {max(took_ms):.1f} at most")


if __name__ == "__main__":
    main()
