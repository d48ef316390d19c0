from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines import encoder_context
from voiceperf.engines.base import Transcript
from voiceperf.engines.whisper import refuse_unsupported
from voiceperf.engines.whisper_params import WhisperParams
from voiceperf.engines.whisper_text import better, joined, looks_wrong
from voiceperf.errors import ParameterError


@pytest.mark.parametrize("name", ["audio_ctx", "retry_ctx"])
@pytest.mark.parametrize("frames", [1, 255, 300, 750, 1500])
def test_context_that_would_depend_on_history_is_refused(name, frames, one_line):
    """With flash attention a context that is no multiple of 256 is refused with the reason."""
    with pytest.raises(ParameterError) as caught:
        WhisperParams(flash_attn=True, **{name: frames})
    one_line(caught.value, f"whisper.{name}", "multiple of 256")


def test_second_try_must_be_longer(one_line):
    """A second try with no more context than the first is refused."""
    with pytest.raises(ParameterError) as caught:
        WhisperParams(audio_ctx=512, retry_ctx=512)
    one_line(caught.value, "whisper.retry_ctx", "longer than audio_ctx")


WEIGHED = WhisperParams(silence_ctx=768, vnni_kernels=True, audio_ctx=512, retry_ctx=1024)


@pytest.mark.parametrize(
    "change", [{"vnni_kernels": False}, {"flash_attn": False}, {"audio_ctx": 0}, {"use_gpu": True}], ids=str
)
def test_silence_is_weighed_by_our_attention_alone(change):
    """Where another attention is paid, all of the context is computed."""
    assert WEIGHED.context(16_000).is_weighed
    params = replace(WEIGHED, **change)
    assert params.context(16_000) == encoder_context.plain(params.audio_ctx, 16_000)


@given(st.integers(2000, 16_000 * 30))
def test_silence_that_is_weighed_never_takes_more(samples):
    """Whatever the length of the speech, no more is computed than without weighing."""
    full = encoder_context.FULL
    computed = (
        WEIGHED.context(samples).frames or full,
        encoder_context.plain(WEIGHED.audio_ctx, samples).frames or full,
    )
    assert computed[0] <= computed[1]


def test_safer_settings_compute_the_silence_first():
    """The first step back only computes what was weighed, and no later one weighs it again."""
    first, *later = WEIGHED.safer()
    assert first == {"silence_ctx": 0}
    assert all(step["silence_ctx"] == 0 for step in later)


@pytest.mark.parametrize(
    ("heard", "wrong"),
    [
        (Transcript("Thursday at seven.", 6, 0.9, 2.0), False),
        (Transcript("Thursday at seven.", 6, 0.29, 2.0), True),
        (Transcript("", 0, None, 2.0), True),
        (Transcript("", 1, 0.9, 2.0), True),
        (Transcript("[BLANK_AUDIO]", 5, 0.9, 2.0), True),
        (Transcript("(laughs) ... [ Silence ]", 9, 0.9, 2.0), True),
        (Transcript("(laughs) Two.", 6, 0.9, 2.0), False),
        (Transcript("Ask! ask! Ask! ask!", 8, 0.9, 2.0), True),
        (Transcript("a b c d e f g h i j", 20, 0.9, 2.0), True),
    ],
    ids=["sound", "unlikely", "nothing", "no words", "a note", "notes", "a word too", "loop", "cut short"],
)
def test_what_looks_wrong_is_tried_again(heard, wrong):
    """Nothing heard, a loop, as many tokens as allowed, or unlikely ones."""
    assert looks_wrong(heard, WhisperParams(), cap=20) == wrong


@pytest.mark.parametrize(
    ("first", "second", "kept"),
    [
        ("and", "[BLANK_AUDIO]", "and"),
        ("and", "One.", "One."),
        ("[ Silence ]", "One.", "One."),
        ("[ Silence ]", "[BLANK_AUDIO]", "[BLANK_AUDIO]"),
        ("ask ask ask ask", "", ""),
    ],
)
def test_second_try_counts_unless_it_loses_words(first, second, kept):
    """A second try without words takes the place of a loop or of no words, and of nothing else."""
    tries = [Transcript(text, 4, 0.2, 1.0) for text in (first, second)]
    assert better(*tries).text == kept


def test_any_context_is_fine_without_flash_attention():
    """Without flash attention there is no padding to see."""
    assert WhisperParams(flash_attn=False, audio_ctx=300).audio_ctx == 300


def test_token_cap_grows_with_the_speech():
    """A cap follows the duration, and leaves room for a word with its punctuation."""
    params = WhisperParams(max_tokens_per_s=10)
    assert params.token_cap(800) == 8
    assert params.token_cap(32_000) == 20
    assert WhisperParams().token_cap(32_000) == 0


@pytest.mark.parametrize("language", ["hi", "th", "auto"])
def test_other_languages_may_take_more_tokens(language):
    """Where a letter is several tokens, the cap of English would cut the speech short."""
    assert WhisperParams(max_tokens_per_s=10).token_cap(32_000, language) == 60


def test_unknown_language_is_refused(one_line):
    """A language whisper does not know is named."""
    with pytest.raises(ParameterError) as caught:
        refuse_unsupported(WhisperParams(language="klingon"))
    one_line(caught.value, "klingon")


@pytest.mark.parametrize(
    ("params", "seconds", "is_long"),
    [
        (WhisperParams(), 27.9, False),
        (WhisperParams(), 28.1, True),
        (WhisperParams(piece_s=0.0), 3600, False),  # whisper.cpp finds its own way
        (WhisperParams(single_segment=True), 9.9, False),
        (WhisperParams(single_segment=True), 10.1, True),
        (WhisperParams(no_timestamps=True, piece_s=0.0), 10.1, True),
    ],
)
def test_long_speech_is_heard_by_timestamps(params, seconds, is_long):
    """What a profile leaves out to be fast with short speech would lose words of longer speech."""
    assert params.is_long(round(seconds * 16_000)) is is_long


def test_pieces_become_one_transcript():
    """Texts follow each other, tokens add up, and a piece without words counts for nothing."""
    pieces = [Transcript("One two.", 4, 0.5, 20.0), Transcript("", 0, None, 9.0), Transcript("Three.", 2, 0.8, 5.0)]
    whole = joined(pieces, 40.0)
    assert (whole.text, whole.tokens, whole.audio_s) == ("One two. Three.", 6, 40.0)
    assert whole.probability == pytest.approx((0.5**4 * 0.8**2) ** (1 / 6))


def test_silence_alone_has_no_transcript():
    """Of pieces without words the whole has none, and no probability either."""
    assert joined([Transcript("", 0, None, 9.0)], 9.0) == Transcript("", 0, None, 9.0)
