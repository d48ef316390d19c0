"""whisper.cpp on real speech, in worker processes."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from voiceperf import profiles
from voiceperf.audio import SPEECH_RATE_HZ, read_speech
from voiceperf.engines.base import Recital, Utterance
from voiceperf.engines.whisper_text import better, looks_wrong
from voiceperf.errors import EngineError, WorkerError
from voiceperf.judge.text import normalise
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess
from voiceperf.models.catalogue import CATALOGUE
from voiceperf.models.store import path_of
from voiceperf.quality.corpus import read_manifest

pytestmark = pytest.mark.models

AUDIO = Path(__file__).parents[2] / "fixtures" / "audio"
JFK = "And so my fellow Americans ask not what your country can do for you ask what you can do for your country."
OFFICIAL_BYTES = {
    "whisper-tiny.en-f16": 77_704_715,
    "whisper-tiny.en-q8_0": 43_550_795,
    "whisper-base-f16": 147_951_465,
    "whisper-base-q8_0": 81_768_585,
}
SHORT = {"audio_ctx": 256, "silence_ctx": 0}
LONGER = {"audio_ctx": 512, "max_tokens_per_s": 0.0}  # a second try has no cap


def worker(profile="shipped", **changes):
    return WorkerProcess(of_profile(profiles.load(profile), "whisper", changes))


@pytest.fixture(scope="module")
def shipped():
    with worker() as process:
        yield process


def hear(process, audio):
    return process.once(Utterance(audio))[1].text


@pytest.mark.parametrize("name", OFFICIAL_BYTES)
def test_converted_model_hears_jfk_word_for_word(name):
    """A model converted here has the official file's size and hears the known sentence without an error."""
    assert path_of(CATALOGUE[name]).stat().st_size == OFFICIAL_BYTES[name]
    with worker("fair", model=name) as process:
        heard = hear(process, read_speech(AUDIO / "flac" / "jfk_d001.flac"))
    assert normalise(heard) == normalise(JFK)


def test_a_gpu_that_is_not_found_is_refused():
    """whisper.cpp itself would go on without one, and say so in its log alone."""
    model = path_of(CATALOGUE["whisper-tiny.en-q8_0"])
    script = (
        "from pathlib import Path\n"
        "from voiceperf.engines.whisper import WhisperParams, _load\n"
        f"_load(Path({str(model)!r}), WhisperParams(use_gpu=True))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "ParameterError: whisper.use_gpu = True: this build finds no GPU" in done.stderr


def test_transcript_does_not_depend_on_what_came_before():
    """The shipped profile hears a clip the same in a fresh process, and after ten other clips of all lengths."""
    clips = [r.audio() for r in read_manifest(AUDIO / "manifest.jsonl")]
    by_length = sorted(clips, key=len)
    probes = [by_length[20], by_length[80], by_length[150]]
    others = by_length[:: len(by_length) // 10][:10]
    with worker() as process:
        alone = [hear(process, clip) for clip in probes[:1]]
    for clip in probes[1:]:
        with worker() as process:
            alone.append(hear(process, clip))
    with worker() as process:
        for clip in others:
            hear(process, clip)
        assert [hear(process, clip) for clip in probes] == alone


def test_the_full_window_does_not_depend_on_what_came_before(shipped):
    """Speech of 28 s, too long for any shorter context, is heard as in a fresh process, to the last probability."""
    sentences = [r.audio() for r in read_manifest(AUDIO / "manifest.jsonl") if r.kind == "sentence"]
    long = np.concatenate(sentences)[: 28 * SPEECH_RATE_HZ]
    with worker() as process:
        alone = process.once(Utterance(long))[1]
    for clip in sentences[:3]:
        hear(shipped, clip)
    assert shipped.once(Utterance(long))[1] == alone


def test_language_is_told_whatever_was_heard_before():
    """The language of a chunk is told from all of it, after a short chunk as after a long one."""
    short, long, chunk = (
        read_speech(AUDIO / "flac" / f"{name}.flac") for name in ("ami_d001", "jfk_d001", "pico_d007")
    )
    with worker(language="auto") as process:
        alone = process.once(Utterance(chunk))[1]
        for before in (short, long):
            hear(process, before)
            assert process.once(Utterance(chunk))[1] == alone
    assert normalise(alone.text) == "alexa"


def test_threads_change_no_transcript(shipped):
    """Thread counts are neutral: one thread and all of them hear the same."""
    clips = [r.audio() for r in read_manifest(AUDIO / "manifest.jsonl")][::25]
    with worker(n_threads=1) as single:
        assert [hear(single, clip) for clip in clips] == [hear(shipped, clip) for clip in clips]


def test_speech_longer_than_the_short_context_is_heard_to_its_end(shipped):
    """Eleven seconds do not fit the shortest context, and nothing of them is lost."""
    heard = hear(shipped, read_speech(AUDIO / "flac" / "jfk_d001.flac"))
    assert normalise(heard).endswith("your country")


def test_what_looks_wrong_is_heard_again():
    """Chunks that come out cut short, looping or without words by too short a context are heard by the longer one."""
    clips = [r.audio() for r in read_manifest(AUDIO / "manifest.jsonl") if r.seconds < 2.5][::8]

    def cap(clip):
        return short.contender.params.token_cap(len(clip))

    with worker(**SHORT, retry_ctx=0) as short, worker(**SHORT | LONGER, retry_ctx=0) as longer:
        tried = [(clip, short.once(Utterance(clip))[1]) for clip in clips]
        wrong = [(clip, first) for clip, first in tried if looks_wrong(first, short.contender.params, cap(clip))]
        wanted = [better(first, longer.once(Utterance(clip))[1]).text for clip, first in wrong]
    assert wrong
    assert wanted != [first.text for _, first in wrong]
    with worker(**SHORT, retry_ctx=512) as process:
        assert [hear(process, clip) for clip, _ in wrong] == wanted


@pytest.mark.parametrize("samples", [3200, 3201, 4000])
def test_shortest_buffers_do_no_harm(shipped, samples):
    """A buffer of the least length is transcribed like any other, and the worker lives on."""
    hear(shipped, read_speech(AUDIO / "flac" / "ami_d001.flac")[:samples])
    assert shipped.alive


def test_truncated_model_is_a_reason(tmp_path, one_line):
    """A model file that breaks off is refused in one line; nothing crashes."""
    whole = path_of(CATALOGUE["whisper-tiny.en-q8_0"]).read_bytes()
    (tmp_path / "half.bin").write_bytes(whole[: len(whole) // 2])
    with pytest.raises((EngineError, WorkerError)) as caught:
        worker(model=str(tmp_path / "half.bin"))
    one_line(caught.value, r"half\.bin", "not a whole ggml whisper model")


def test_beam_search_and_prompt_are_taken(shipped):
    """The parameters that no profile uses work too."""
    with worker(beam_size=2, initial_prompt="A speech by a president.", audio_ctx=768) as process:
        heard = hear(process, read_speech(AUDIO / "flac" / "jfk_d001.flac"))
    assert "country" in heard


def test_what_was_said_is_likelier_than_what_was_not(shipped):
    """Forced decoding scores the reference above another sentence, and every token of it, with its end."""
    audio = read_speech(AUDIO / "flac" / "jfk_d001.flac")
    said = next(r.text for r in read_manifest(AUDIO / "manifest.jsonl") if r.path.name == "jfk_d001.flac")
    right, wrong = (shipped.ask(Recital(audio, text)).log_probs for text in (said, "Please call me back tomorrow."))
    assert len(right) > len(said.split())
    assert all(value < 0 for value in right)
    assert np.mean(right) > -1 > -2 > np.mean(wrong)


def test_a_recital_repeats_and_leaves_nothing_behind(shipped):
    """The same again after other work, bit for bit; and what is heard after it is heard as before."""
    clip = read_speech(AUDIO / "flac" / "ami_d001.flac")
    recital = Recital(clip, "You can call me Abbie.")
    heard, first = hear(shipped, clip), shipped.ask(recital)
    assert hear(shipped, clip) == heard
    assert shipped.ask(recital) == first


def test_a_recital_too_long_for_the_decoder_is_refused(shipped, one_line):
    """A text beyond what whisper's decoder holds is one line, not a crash."""
    with pytest.raises(EngineError) as caught:
        shipped.ask(Recital(read_speech(AUDIO / "flac" / "ami_d001.flac"), "word " * 500))
    one_line(caught.value, "200 tokens")
