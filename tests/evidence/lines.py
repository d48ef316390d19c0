"""What a caller's line costs in words: WER of the recordings that judge, heard over each, by each profile."""

from voiceperf import profiles
from voiceperf.audio import read_speech
from voiceperf.engines.base import Utterance
from voiceperf.judge.text import score, word_error_rate
from voiceperf.live.connection import CONNECTIONS
from voiceperf.measure.contender import Side
from voiceperf.measure.process import Stopper, WorkerProcess
from voiceperf.places import fixtures_dir
from voiceperf.quality.corpus import JUDGING, read_manifest
from voiceperf.roles import HEARING

PROFILES = ("fair", "upstream", "shipped")


def transcript(worker, audio):
    return worker.stream(Utterance(audio), lambda part, at: None, Stopper())[1].text


def main():
    everything = read_manifest(fixtures_dir() / "audio" / "manifest.jsonl")
    recordings = [(one, read_speech(one.path)) for one in everything if one.use == JUDGING]
    lines = {"clean": lambda audio, seed: audio, **{name: one.carried for name, one in CONNECTIONS.items()}}
    rates = {}
    for name in PROFILES:
        worker = WorkerProcess(Side(name, profiles.load(name)).contender(HEARING))
        for line, carried in lines.items():
            heard = [
                score(one.text, transcript(worker, carried(audio, seed)))
                for seed, (one, audio) in enumerate(recordings)
            ]
            rates[line, name] = word_error_rate(heard)
        worker.close()
    print(f"| line | {' | '.join(PROFILES)} |\n| -- | -- | -- | -- |")
    for line in lines:
        print(f"| {line} | {' | '.join(f'{rates[line, name]:.1%}' for name in PROFILES)} |")


if __name__ == "__main__":
    main()
