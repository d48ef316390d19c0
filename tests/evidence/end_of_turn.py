"""What a longer silence buys: how long callers wait until their words count as finished, and how many are cut off.

    .venv/bin/python tests/evidence/end_of_turn.py

On the recordings that judge, as they are, each followed by silence; no engine is started.
"""

import numpy as np

from voiceperf.audio import SPEECH_RATE_HZ, read_speech
from voiceperf.live.barge_in import sounding
from voiceperf.live.end_of_turn import EndOfTurn
from voiceperf.places import fixtures_dir
from voiceperf.quality.corpus import JUDGING, read_manifest

SILENCES_MS = (200.0, 300.0, 400.0, 500.0, 700.0, 1000.0)
STEP = SPEECH_RATE_HZ // 50  # as a telephone sends it


def ended_ms(audio, silence_ms):
    """Since the last sound; below 0 where the caller was cut off."""
    end, last = EndOfTurn(silence_ms, SPEECH_RATE_HZ), sounding(audio).stop
    sound = np.concatenate([audio, np.zeros(2 * SPEECH_RATE_HZ, np.float32)])
    for start in range(0, len(sound), STEP):
        if end.is_over(sound[start : start + STEP]):
            return 1000 * (start + STEP - last) / SPEECH_RATE_HZ
    return None


def main():
    recordings = read_manifest(fixtures_dir() / "audio" / "manifest.jsonl")
    audios = [read_speech(one.path) for one in recordings if one.use == JUDGING]
    print("| silence | recordings | cut off | never ended | p50 ms | p95 ms |\n| -- | -- | -- | -- | -- | -- |")
    for silence_ms in SILENCES_MS:
        found = [ended_ms(audio, silence_ms) for audio in audios]
        whole = [one for one in found if one is not None and one >= 0]
        cut = sum(one is not None and one < 0 for one in found)
        p50, p95 = np.percentile(whole, [50, 95])
        never = found.count(None)
        print(
            f"| {silence_ms:.0f} ms | {len(found)} | {cut / len(found):.1%} | {never} | {p50:.0f} | {p95:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
