"""Hearing what is longer than a window, and what is no speech, on the real engine."""

from pathlib import Path

import jiwer
import numpy as np
import pytest

from voiceperf import profiles
from voiceperf.audio import read_speech
from voiceperf.engines.base import Utterance
from voiceperf.judge.text import normalise, words_of
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.quality.corpus import read_manifest

pytestmark = pytest.mark.models

RECORDINGS = read_manifest(Path(__file__).parents[2] / "fixtures" / "audio" / "manifest.jsonl")
RATE_HZ = 16_000


def joined(seconds, seed, kinds=None, gap_s=(0.3, 1.0)):
    """Recordings one after the other with natural pauses, and what is said in them."""
    rng = np.random.default_rng(seed)
    among = [r for r in RECORDINGS if kinds is None or r.kind in kinds]
    parts, words, length = [], [], 0
    for number in rng.permutation(np.resize(np.arange(len(among)), 4 * len(among))):
        if length >= seconds * RATE_HZ:
            break
        pause = np.zeros(int(RATE_HZ * rng.uniform(*gap_s)), np.float32)
        parts += [read_speech(among[number].path), pause]
        words.append(among[number].text)
        length += len(parts[-2]) + len(pause)
    return np.concatenate(parts), " ".join(words)


def words_lost(profile, sounds):
    with WorkerProcess(of_profile(profiles.load(profile), "whisper")) as worker:
        heard = [worker.once(Utterance(audio))[1].text for audio, _ in sounds]
    return sum(
        jiwer.process_words(" ".join(words_of(said)), " ".join(words_of(text)) or "-").deletions
        for (_, said), text in zip(sounds, heard, strict=True)
    )


def check_no_more_is_lost(sounds):
    said = sum(len(words_of(text)) for _, text in sounds)
    assert words_lost("shipped", sounds) <= words_lost("fair", sounds) + 0.01 * said  # less than one word in a hundred


def test_long_recordings_lose_no_more_words_than_the_baseline_does():
    """From 12 s to two minutes, sentences and single words alike."""
    check_no_more_is_lost([joined(seconds, seed) for seconds, seed in ((12, 1), (20, 2), (30, 3), (30, 4), (120, 5))])


@pytest.mark.slow
def test_ten_minutes_lose_no_more_words_than_the_baseline_does():
    """Half a minute, two and ten minutes, several of each."""
    check_no_more_is_lost([joined(30, seed) for seed in range(8)] + [joined(120, seed) for seed in range(3)])
    check_no_more_is_lost([joined(600, 0)])


def test_sentences_with_short_gaps_are_all_heard():
    """Twenty sentences, 0.3 s apart: at least nineteen words of twenty arrive."""
    audio, said = joined(78, 6, kinds={"sentence"}, gap_s=(0.3, 0.3))
    assert words_lost("shipped", [(audio, said)]) <= len(words_of(said)) / 20


def test_what_whisper_leaves_at_a_window_s_end_is_heard():
    """Whisper takes this piece's last two sentences for silence: the piece is heard again from there."""
    audio, said = joined(120, 5)
    with WorkerProcess(of_profile(profiles.load("shipped"), "whisper")) as worker:
        heard = words_of(worker.once(Utterance(audio))[1].text)
    assert heard[-5:] == words_of(said)[-5:]


def test_joined_digits_are_no_loop():
    """Digits one after the other are heard to the end, once each."""
    audio, said = joined(40, 7, kinds={"digit"})
    with WorkerProcess(of_profile(profiles.load("shipped"), "whisper")) as worker:
        heard = normalise(worker.once(Utterance(audio))[1].text)
    assert len(heard.replace(" ", "")) < 2 * len(said)


def sounds_without_speech():
    """Silence, hum, noise of three colours, tones, chords and melodies, 0.5 to 10 s: fifty of them."""
    rng, found = np.random.default_rng(0), []

    def seconds(length):
        return np.arange(int(length * RATE_HZ)) / RATE_HZ

    found += [np.zeros(int(length * RATE_HZ)) for length in (0.5, 1, 2, 5, 10)]
    for length in (1, 3, 8):
        white = rng.standard_normal(length * RATE_HZ)
        found += [level * white for level in (0.001, 0.01, 0.05, 0.2)]
        spectrum, bins = np.fft.rfft(white), np.arange(1, length * RATE_HZ // 2 + 2)
        for colour in (np.fft.irfft(spectrum / np.sqrt(bins)), np.fft.irfft(spectrum / bins)):
            found += [level * colour / colour.std() for level in (0.01, 0.1)]
    for hz in (50, 60):
        for length in (2, 5):
            t = seconds(length)
            found.append(sum(0.05 / n * np.sin(2 * np.pi * hz * n * t) for n in (1, 2, 3, 5, 7)))
    t = seconds(3)
    found += [0.3 * np.sin(2 * np.pi * hz * t) for hz in (220, 440, 1000, 2500)]
    found += [0.1 * sum(np.sin(2 * np.pi * hz * t) for hz in chord) for chord in ((262, 330, 392), (350, 440))]
    found += [0.2 * (np.sin(2 * np.pi * 440 * t) + np.sin(2 * np.pi * 480 * t)) * (t % 2 < 1)]
    while len(found) < 50:
        melody = np.zeros(6 * RATE_HZ)
        for start, hz in zip(
            range(0, 5 * RATE_HZ, RATE_HZ // 2), rng.choice([262, 294, 330, 392, 440], 10), strict=True
        ):
            note = seconds(1)
            melody[start : start + RATE_HZ] += (
                0.15 * np.exp(-4 * note) * sum(np.sin(2 * np.pi * hz * n * note) / n for n in (1, 2, 3, 4))
            )
        found.append(melody)
    return [sound.astype(np.float32) for sound in found]


def test_no_speech_is_no_words():
    """Fifty sounds in which nobody speaks have no words and no note of a sound in their transcripts."""
    with WorkerProcess(of_profile(profiles.load("shipped"), "whisper")) as worker:
        heard = [worker.once(Utterance(sound))[1].text for sound in sounds_without_speech()]
    assert heard == [""] * 50


def test_no_recording_of_speech_is_lost_by_the_gate():
    """What looks for speech first takes none of the recordings for silence, neither alone nor over its line."""
    from voiceperf.vad import BEGINS, SpeechDetector

    detector = SpeechDetector()
    assert [r.path.name for r in RECORDINGS if not detector.is_speech(read_speech(r.path), BEGINS)] == []
    assert [r.path.name for r in RECORDINGS if not detector.is_speech(r.audio(), BEGINS)] == []


def test_parts_of_a_long_recording_come_as_they_are_heard():
    """Each piece's words are handed on with the share of the recording that is through."""
    audio, _ = joined(70, 8)
    parts = []
    with WorkerProcess(of_profile(profiles.load("shipped"), "whisper")) as worker:
        _, heard = worker.stream(Utterance(audio), lambda text, done: parts.append((text, done)))
    assert "".join(text for text, _ in parts).strip() == heard.text
    shares = [done for _, done in parts]
    assert shares == sorted(shares)
    assert len(shares) >= 3
    assert shares[-1] > 0.9
