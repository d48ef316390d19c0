import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.audio import SPEECH_MIN_SAMPLES, Mixdown, as_speech, read_speech, write_wav
from voiceperf.errors import InputError


def tone(seconds, rate_hz, frequency_hz=440.0):
    return np.sin(2 * np.pi * frequency_hz * np.arange(int(seconds * rate_hz)) / rate_hz).astype(np.float32)


def test_stereo_at_8_khz_becomes_mono_at_16_khz(tmp_path):
    """A telephone's stereo WAV is mixed and resampled, and keeps its length and its pitch."""
    left = tone(0.5, 8000)
    soundfile.write(tmp_path / "a.wav", np.stack([left, left], axis=1), 8000)
    speech = read_speech(tmp_path / "a.wav")
    assert speech.dtype == np.float32
    assert speech.shape == (8000,)
    loudest_hz = np.abs(np.fft.rfft(speech)).argmax() * 16000 / len(speech)
    assert loudest_hz == pytest.approx(440, abs=4)


def test_channels_are_averaged():
    """Each counts the same."""
    left = tone(0.3, 16000)
    assert as_speech(np.stack([left, left / 2], axis=1), 16000) == pytest.approx(0.75 * left, abs=1e-6)


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        (np.zeros(0, np.float32), "no samples"),
        (np.zeros(SPEECH_MIN_SAMPLES - 1, np.float32), "too short"),
        (np.full(1000, np.nan, np.float32), "NaN"),
        (np.full(1000, np.inf, np.float32), "infinite"),
        (np.zeros(5000, np.int16), "floats"),
        (np.full(5000, 5335.0, np.float32), "5335 where full scale is 1.0; .*divide them by 32768"),
        (np.full(5000, 2.0**22, np.float32), "divide them by 8388608"),
        (np.zeros((10, 10, 10), np.float32), "shape"),
    ],
)
def test_what_is_no_speech_is_refused(samples, said, one_line):
    """Empty, short, NaN, infinite or misshapen buffers are refused in one line with the name they came under."""
    with pytest.raises(InputError) as caught:
        as_speech(samples, 16000, "call.wav")
    one_line(caught.value, "call.wav", said)


def test_channels_that_cancel_each_other_are_not_silence():
    """Of stereo whose channels are each other's opposite one is heard; unlike channels are averaged."""
    rng = np.random.default_rng(1)
    left, other = (rng.normal(0, 0.1, 8000).astype(np.float32) for _ in range(2))
    assert np.array_equal(as_speech(np.stack([0.1 * left, -0.1 * left], axis=1), 16_000), np.float32(0.1) * left)
    assert as_speech(np.stack([left, other], axis=1), 16_000) == pytest.approx((left + other) / 2, abs=1e-6)


@given(st.lists(st.integers(0, 3000), min_size=1, max_size=6), st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]))
def test_where_blocks_end_does_not_matter(sizes, other):
    """Channels alike, unlike or each other's opposite become the same mono, however they come in."""
    left = np.random.default_rng(1).normal(0, 0.1, sum(sizes)).astype(np.float32)
    frames = np.stack([left, np.float32(other) * left], axis=1)
    whole, mixed = Mixdown(), Mixdown()
    whole.add(frames)
    for part in np.split(frames, np.cumsum(sizes)[:-1]):
        mixed.add(part)
    assert np.array_equal(mixed.samples(), whole.samples())


def test_a_file_cut_short_is_heard_and_said(tmp_path, caplog):
    """Of a download that broke off what is there is heard, and one warning says how much of it is there."""
    write_wav(tmp_path / "a.wav", tone(2.0, 16000), 16000)
    whole = (tmp_path / "a.wav").read_bytes()
    assert len(read_speech(tmp_path / "a.wav")) == 32000
    assert not caplog.records
    (tmp_path / "a.wav").write_bytes(whole[: 44 + 16000])
    assert [len(read_speech(tmp_path / "a.wav")) for _ in range(2)] == [8000, 8000]
    assert len(caplog.records) == 1
    assert "a.wav: ends early: 25% of what its header says are there" in caplog.text


@pytest.mark.parametrize("named", [0xFFFFFFFF, 0x7FFFFFDB])
def test_a_stream_of_unknown_length_is_whole(tmp_path, caplog, named):
    """A header written before the length was known, as by ffmpeg into a pipe, is no damage."""
    write_wav(tmp_path / "a.wav", tone(0.5, 16000), 16000)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[:40] + named.to_bytes(4, "little") + whole[44:])
    assert len(read_speech(tmp_path / "a.wav")) == 8000
    assert not caplog.records


def test_a_recording_that_was_never_closed_is_refused_with_the_remedy(tmp_path, one_line):
    """A header that says 0 samples before minutes of sound is not taken for silence."""
    write_wav(tmp_path / "a.wav", tone(0.5, 16000), 16000)
    whole = (tmp_path / "a.wav").read_bytes()
    (tmp_path / "a.wav").write_bytes(whole[:40] + bytes(4) + whole[44:])
    with pytest.raises(InputError) as caught:
        read_speech(tmp_path / "a.wav")
    one_line(caught.value, "a.wav", "0 samples", "sox --ignore-length")


@pytest.mark.parametrize("rate_hz", [-1, 0, 1, 3999, 10**6])
def test_a_rate_of_no_speech_is_refused_at_once(rate_hz, one_line):
    """A damaged header that says 1 Hz does not turn 40 KB into hours of work."""
    with pytest.raises(InputError) as caught:
        as_speech(np.zeros(20_000, np.float32), rate_hz, "call.wav")
    one_line(caught.value, "call.wav", f"{rate_hz} Hz", "damaged")


@given(st.integers(1, 20_000), st.sampled_from([8000, 16000, 22050, 44100, 48000]))
def test_nothing_shorter_than_the_native_minimum_gets_through(samples, rate_hz):
    """Whatever the rate, what is handed on has the least length of speech, or is refused."""
    try:
        speech = as_speech(np.zeros(samples, np.float32), rate_hz)
    except InputError:
        return
    assert len(speech) >= SPEECH_MIN_SAMPLES


def test_empty_wav_is_named(tmp_path, one_line):
    """A WAV without samples is refused by its path."""
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 16000)
    with pytest.raises(InputError) as caught:
        read_speech(tmp_path / "empty.wav")
    one_line(caught.value, "empty.wav", "no samples")


def test_file_that_is_no_sound_is_named(tmp_path, one_line):
    """Text under a WAV's name is refused by its path."""
    (tmp_path / "a.wav").write_text("not sound")
    with pytest.raises(InputError) as caught:
        read_speech(tmp_path / "a.wav")
    one_line(caught.value, "a.wav", "cannot be read")


def test_wav_appears_whole_or_not_at_all(tmp_path, monkeypatch):
    """When writing breaks off, an older file under the name stays as it was."""
    path = tmp_path / "a.wav"
    write_wav(path, tone(0.1, 24000), 24000)
    before = path.read_bytes()

    def broken(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(soundfile, "write", broken)
    with pytest.raises(InputError, match="disk full"):
        write_wav(path, tone(0.2, 24000), 24000)
    assert path.read_bytes() == before


def test_a_long_file_is_read_in_blocks_as_if_at_once(tmp_path):
    """Stereo at another rate, longer than a block, becomes the same samples as in one go."""
    sound = np.stack([tone(5, 44100), tone(5, 44100, 330.0)], axis=1) / 2
    soundfile.write(tmp_path / "a.wav", sound, 44100, subtype="FLOAT")
    assert np.array_equal(read_speech(tmp_path / "a.wav"), as_speech(sound, 44100))


def test_a_file_whose_name_is_no_text_is_read(tmp_path):
    """A name in another encoding is a name all the same; in messages its bytes are escaped."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav"))
    with odd.open("wb") as file:
        soundfile.write(file, tone(0.5, 16000), 16000, format="WAV")
    assert len(read_speech(odd)) == 8000
    odd.unlink()
    with pytest.raises(InputError) as caught:
        read_speech(odd)
    assert str(caught.value).isascii()


def test_one_channel_of_two_is_read_by_itself(tmp_path):
    """The other one is not in it; a recording of one channel has none for each speaker."""
    left, right = np.full(16_000, 0.25, np.float32), np.full(16_000, -0.5, np.float32)
    soundfile.write(tmp_path / "two.wav", np.stack([left, right], axis=1), 16_000, subtype="FLOAT")
    assert np.array_equal(read_speech(tmp_path / "two.wav", 0), left)
    assert np.array_equal(read_speech(tmp_path / "two.wav", 1), right)
    soundfile.write(tmp_path / "one.wav", left, 16_000)
    with pytest.raises(InputError, match=r"one\.wav: has 1 channel\(s\), not one for each of two speakers"):
        read_speech(tmp_path / "one.wav", 1)
