"""Kokoro on real weights, in worker processes."""

import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from voiceperf import call, profiles
from voiceperf.engines.base import Line
from voiceperf.engines.kokoro_float import in_floating_point
from voiceperf.engines.kokoro_graph import OPERATORS
from voiceperf.errors import EngineError, ParameterError, StoppedError
from voiceperf.judge.sound import MAX_LOG_SPECTRAL_DB, log_spectral_distance_db
from voiceperf.measure.clock import to_nobody
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import Stopper, WorkerProcess
from voiceperf.models.catalogue import CATALOGUE
from voiceperf.models.store import path_of

pytestmark = pytest.mark.models

CALL = call.load(Path(__file__).parents[2] / "fixtures" / "calls" / "call61.toml")
RECORDED_S = (2.58, 7.15, 4.50, 7.23, 3.78, 2.35, 1.38)


def worker(profile="shipped", **changes):
    return WorkerProcess(of_profile(profiles.load(profile), "kokoro", changes))


@pytest.fixture(scope="module")
def shipped():
    with worker() as process:
        yield process


def test_replies_last_as_long_as_the_recorded_ones(shipped):
    """The default voice speaks each of the seven texts within 10% of the recorded call's duration."""
    for turn, seconds in zip(CALL.turns, RECORDED_S, strict=True):
        _, speech = shipped.once(Line(turn.reply))
        assert speech.heard_s == pytest.approx(seconds, rel=0.10), turn.reply


def test_an_export_in_floats_speaks_under_the_shipped_profile(tmp_path):
    """Ours take the operators that they know, its norms and activations, and leave the rest."""
    export = tmp_path / "floats.onnx"
    export.write_bytes(in_floating_point(path_of(CATALOGUE["kokoro-v1.0-int8"])))
    with worker(model=str(export)) as process:
        assert process.once(Line(CALL.turns[0].reply))[1].heard_s == pytest.approx(RECORDED_S[0], rel=0.10)


def test_a_quantised_model_speaks_in_floats_too():
    """As GPUs want it: each reply lasts within a fiftieth as long, and one that lasts as long sounds alike."""
    with worker("fair") as quantised, worker("fair", dequantise=True) as floats:
        for number, turn in enumerate(CALL.turns[:3]):
            (_, expected), (_, found) = quantised.once(Line(turn.reply)), floats.once(Line(turn.reply))
            assert found.heard_s == pytest.approx(expected.heard_s, rel=0.02)
            if number == 0:
                distance_db = log_spectral_distance_db(expected.audio, found.audio, found.rate_hz)
                assert 0 < distance_db < 2 * MAX_LOG_SPECTRAL_DB


@pytest.mark.skipif(OPERATORS.unavailable() is not None, reason="this machine cannot have our operators")
def test_our_operators_speak_alike():
    """With our own operators every reply is as long to the sample, and its spectrum is the same to a listener."""
    with worker(vnni_kernels=False, by_sentence=False) as plain, worker(vnni_kernels=True, by_sentence=False) as ours:
        for turn in CALL.turns:
            (_, a), (_, b) = plain.once(Line(turn.reply)), ours.once(Line(turn.reply))
            assert a.audio_s == b.audio_s
            assert 0 < log_spectral_distance_db(a.audio, b.audio, a.rate_hz) < MAX_LOG_SPECTRAL_DB, turn.reply


def test_model_without_quantised_convolutions_is_refused(tmp_path, one_line):
    """Our operators are refused by name for a model that has no place for them."""
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([], "empty", [value], [value])
    onnx.save(onnx.helper.make_model(graph), tmp_path / "float.onnx")
    with pytest.raises(ParameterError) as caught:
        worker(model=str(tmp_path / "float.onnx"), vnni_kernels=True)
    one_line(caught.value, "kokoro.vnni_kernels = True", "float.onnx", "leave it off")


def test_speech_repeats_bit_for_bit(shipped):
    """The same line gives the same samples, whatever the threads and whatever was said before."""
    _, first = shipped.once(Line("Good evening."))
    shipped.once(Line("Something else."))
    _, again = shipped.once(Line("Good evening."))
    with worker(intra_op_threads=1, spinning=True) as single:
        _, other = single.once(Line("Good evening."))
    assert np.array_equal(first.audio, again.audio)
    assert np.array_equal(first.audio, other.audio)


def test_trimmed_speech_is_what_is_heard(shipped):
    """Trimmed audio is as long as what is heard; untrimmed audio is longer."""
    _, trimmed = shipped.once(Line("Good evening."))
    assert len(trimmed.audio) / trimmed.rate_hz == pytest.approx(trimmed.heard_s)
    with worker(trim=False) as process:
        _, whole = process.once(Line("Good evening."))
    assert len(whole.audio) / whole.rate_hz == pytest.approx(whole.audio_s)
    assert whole.audio_s > whole.heard_s


def test_speaking_by_sentence_starts_the_audio_sooner():
    """The first sound of a long reply comes in less than half of the time, and each piece is in its place."""
    line = Line(CALL.turns[3].reply)
    with worker(by_sentence=False) as whole, worker(by_sentence=True) as split:
        for process in (whole, split):
            process.load("line", line)
            process.run("line")
        sooner = [split.run("line").ttfa_ms / whole.run("line").ttfa_ms for _ in range(3)]
        pieces, audio = split.output().pieces, split.output().audio
        alone = [whole.once(Line(piece.text))[1].audio for piece in pieces]
    assert np.median(sooner) < 1 / 2
    assert " ".join(piece.text for piece in pieces) == line.text
    for piece, sound in zip(pieces, alone, strict=True):
        np.testing.assert_array_equal(audio[piece.start : piece.end], sound)


def test_a_phrase_is_remembered_up_to_the_size_of_the_cache():
    """In a service a phrase spoken before comes at once and bit for bit the same, until others have taken its place.

    Measured, it takes as long as ever.
    """
    line, others = Line("Good evening."), [Line(f"Table {number} is free.") for number in range(7)]
    with worker(phrase_cache_mib=1) as process:

        def serve(asked):
            return process.stream(asked, to_nobody)

        (first, a), (again, b) = serve(line), serve(line)
        for other in others:  # about a second and a tenth of a MiB each
            serve(other)
        later, c = serve(line)
        measured, _ = process.once(line)
    assert again.wall_ms < first.wall_ms / 5
    assert min(later.wall_ms, measured.wall_ms) > again.wall_ms * 5
    assert np.array_equal(a.audio, b.audio)
    assert np.array_equal(a.audio, c.audio)


def test_speech_that_nobody_waits_for_ends_before_its_piece():
    """Stopped early in a long piece, the engine is free long before the piece would be done; the next is whole."""
    line = Line("the office is open from nine in the morning until half past five in the evening on every day but one")
    with worker(phrase_cache_mib=0, by_sentence=False) as process:
        whole, before = process.stream(line, to_nobody)
        stopper, begun_s = Stopper(), time.monotonic()
        threading.Timer(whole.wall_ms / 1000 / 5, stopper.stop).start()
        with pytest.raises(StoppedError):
            process.stream(line, to_nobody, stopper)
        assert time.monotonic() - begun_s < 0.7 * whole.wall_ms / 1000
        _, after = process.stream(line, to_nobody)
    assert np.array_equal(before.audio, after.audio)


def test_text_without_words_is_refused(shipped, one_line):
    """Blank text, and text that has no sound, are refused; the worker lives on."""
    with pytest.raises(ParameterError):
        shipped.once(Line("  "))
    for text in ("\u200b", "--------", "\U0001f600"):
        with pytest.raises(ParameterError) as caught:
            shipped.once(Line(text))
        one_line(caught.value, "nothing to speak")
    with pytest.raises(ParameterError) as caught:
        shipped.once(Line("\u3053\u3093\u306b\u3061\u306f"))
    one_line(caught.value, "kokoro.lang = 'en-us' cannot read", "of another script")
    assert shipped.alive


def test_file_that_is_no_model_is_a_reason(tmp_path, one_line):
    """A file that is no ONNX model is refused in one line."""
    (tmp_path / "bad.onnx").write_bytes(b"not a model" * 100)
    with pytest.raises(EngineError) as caught:
        worker(model=str(tmp_path / "bad.onnx"))
    one_line(caught.value, r"bad\.onnx", "not a whole ONNX model")


@pytest.mark.parametrize("by_sentence", [True, False])
def test_a_hundred_words_without_a_comma_have_no_hole(by_sentence):
    """However long a sentence is, where it is cut there is no more silence than at a comma."""
    words = ["we have a table by the window and one by the door and another in the garden under the old tree and"] * 5
    with worker(by_sentence=by_sentence) as process:
        speech = process.once(Line(" ".join(words)))[1]
    loud = np.flatnonzero(np.abs(speech.audio) > 0.01)
    assert len(speech.pieces) > 1
    for piece in speech.pieces[:-1]:
        before, after = loud[loud < piece.end], loud[loud >= piece.end]
        assert (after[0] - before[-1]) / speech.rate_hz < 0.4
    assert np.diff(loud).max() / speech.rate_hz < 0.7


def test_numbers_are_spoken_as_they_are_read(shipped):
    """A telephone number sounds as the words in which a person reads it; unread it does not."""
    written, in_words = (
        shipped.once(Line(text))[1] for text in ("At 555-0123.", "At five five five, zero one two three.")
    )
    assert np.array_equal(written.audio, in_words.audio)
    with worker(filter_text=False) as unread:
        assert not np.array_equal(unread.once(Line("At 555-0123."))[1].audio, in_words.audio)


def test_a_lexicon_says_how_names_sound(tmp_path, shipped):
    """A respelling sounds as it is written, and phonemes as what they are the phonemes of."""
    names = tmp_path / "names.toml"
    names.write_text('Siobhan = "Shivawn"\nNguyen = "/w\u02c8\u026an/"\n', encoding="utf-8")
    with worker(lexicon=str(names)) as named:
        for written, said in (("Siobhan is here.", "Shivawn is here."), ("Did Nguyen come?", "Did win come?")):
            assert np.array_equal(named.once(Line(written))[1].audio, shipped.once(Line(said))[1].audio)
            assert not np.array_equal(shipped.once(Line(written))[1].audio, shipped.once(Line(said))[1].audio)
