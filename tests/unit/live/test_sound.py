"""Sound on the wire: formats, limits, and that a sample stays what it was."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.audio import AudioChunk, AudioStart

from voiceperf.errors import InputError, ServiceError
from voiceperf.live.sound import Recording, chunks


def received(events, max_s=30.0, rate=16_000, width=2, channels=1):
    recording = Recording(AudioStart(rate, width, channels).event(), max_s)
    for event in events:
        recording.add(event)
    return recording


@given(st.integers(3200, 9000), st.sampled_from([1, 7, 20, 100, 1000]))
def test_samples_come_back_within_16_bits(count, chunk_ms):
    """Cut into chunks of any length and put together again, no sample moves by more than a 16-bit step."""
    sound = np.random.default_rng(count).uniform(-1, 1, count).astype(np.float32)
    back = received(chunks(sound, 16_000, chunk_ms)).samples()
    assert back.shape == sound.shape
    assert np.abs(back - sound).max() <= 1.6 / 2**15


def test_chunks_carry_their_time():
    """Each chunk's timestamp is where it begins, after what came before."""
    found = [AudioChunk.from_event(event) for event in chunks(np.zeros(1000, np.float32), 10_000, 40, begin_ms=250)]
    assert [chunk.timestamp for chunk in found] == [250, 290, 330]
    assert [chunk.samples for chunk in found] == [400, 400, 200]


def test_stereo_and_other_rates_are_taken():
    """Two channels are averaged, and 24 kHz becomes 16 kHz."""
    pair = np.repeat(np.array([[8192, 0]], np.int16), 7200, axis=0)
    chunk = AudioChunk(24_000, 2, 2, pair.tobytes()).event()
    samples = received([chunk], rate=24_000, channels=2).samples()
    assert len(samples) == 4800
    assert np.median(samples) == pytest.approx(0.125, abs=0.001)


def test_channels_that_cancel_each_other_are_not_silence():
    """Live stereo from a cable wired the wrong way round is heard as a file of it is."""
    wave = (8000 * np.sin(np.arange(4800) / 10)).astype(np.int16)
    events = [
        AudioChunk(16_000, 2, 2, np.stack([part, -part], axis=1).tobytes()).event() for part in np.split(wave, 15)
    ]
    assert received(events, channels=2).samples() == pytest.approx(wave / 2**15, abs=1e-6)


@pytest.mark.parametrize("level", [0.0005, 0.1, 1.0])
def test_floats_sent_as_integers_are_refused(level):
    """32-bit floats under the width of 32-bit integers are not heard as noise."""
    floats = (level * np.sin(np.arange(4800) / 10)).astype("<f4")
    with pytest.raises(ServiceError, match="32-bit floats: send 16-bit PCM"):
        received([AudioChunk(16_000, 4, 1, floats.tobytes()).event()], width=4).samples()


def test_a_loud_stretch_is_not_taken_for_floats():
    """Integers whose bits would be sound in floats, for as long as a chunk: the whole utterance decides."""
    chunks_of = [np.full(100, 0.45 * 2**31), 2.0**20 * np.sin(np.arange(4800) / 10), np.full(100, 0.45 * 2**31)]
    events = [AudioChunk(16_000, 4, 1, part.astype("<i4").tobytes()).event() for part in chunks_of]
    assert received(events, width=4).samples()[:100] == pytest.approx(0.45, abs=1e-6)


@given(st.integers(0, 2**32), st.floats(1e-9, 1.0), st.booleans())
def test_integers_are_not_taken_for_floats(seed, level, noisy):
    """32-bit integers of any level, a wave or noise, are taken as they are."""
    wave = np.random.default_rng(seed).uniform(-1, 1, 4800) if noisy else np.sin(np.arange(4800) / 10)
    integers = (level * (2**31 - 1) * wave).astype("<i4")
    samples = received([AudioChunk(16_000, 4, 1, integers.tobytes()).event()], width=4).samples()
    assert samples == pytest.approx(integers / 2**31, abs=1e-6)


def test_chunks_without_sound_hold_nothing():
    """Endless empty chunks take no memory: what an utterance holds is bounded by its length."""
    recording = received(
        [AudioChunk(16_000, 2, 1, b"").event()] * 1000 + [AudioChunk(16_000, 2, 1, bytes(6400)).event()]
    )
    assert len(recording.samples()) == 3200
    assert len(recording._mixed) == 3200


def test_speech_beyond_the_limit_is_refused():
    """The limit counts what has come so far, so that no client fills the memory."""
    chunk = AudioChunk(16_000, 2, 1, bytes(32_000)).event()
    recording = received([chunk], max_s=1.5)
    with pytest.raises(ServiceError, match=r"longer than 1.5 s") as refused:
        recording.add(chunk)
    assert refused.value.code == "too-long"


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"rate": "16000", "width": 2, "channels": 1},
        {"rate": 16_000, "width": 3, "channels": 1},
        {"rate": 0, "width": 2, "channels": 1},
        {"rate": 16_000, "width": 2, "channels": 0},
        {"rate": 16_000, "width": True, "channels": 1},
    ],
)
def test_a_format_that_is_none_is_refused(data):
    """What is missing, of a wrong type or impossible is answered with what to send."""
    event = AudioStart(16_000, 2, 1).event()
    event.data = data
    with pytest.raises(ServiceError, match="16-bit PCM"):
        Recording(event, 30.0)


@given(st.lists(st.integers(1, 400), min_size=1, max_size=40), st.sampled_from([(2, 1), (2, 2), (4, 1), (4, 3)]))
def test_chunks_may_end_within_a_sample(sizes, form):
    """However the bytes are cut, the samples are those of the whole; what is left of one at the end is dropped."""
    width, channels = form
    rng = np.random.default_rng(len(sizes))
    frames = rng.integers(-(2**15), 2**15, (3200 + sum(sizes) // 2, channels)).astype(f"<i{width}")
    whole = frames.tobytes()
    cuts = [0, *np.cumsum(sizes).clip(max=len(whole)), len(whole)]
    parts = [whole[a:b] for a, b in itertools.pairwise(cuts)]

    def events(parts):
        return [AudioChunk(16_000, width, channels, part).event() for part in parts]

    cut = received(events([*parts, b"\1"]), width=width, channels=channels).samples()
    assert np.array_equal(cut, received(events([whole]), width=width, channels=channels).samples())


def test_a_chunk_of_another_format_is_refused():
    """All of an utterance has the format that its start named."""
    with pytest.raises(ServiceError, match="the start was"):
        received([AudioChunk(8_000, 2, 1, b"1234").event()])


def test_nothing_is_no_speech():
    """An utterance without samples is refused as an empty recording is."""
    with pytest.raises(InputError, match="no samples"):
        received([]).samples()
