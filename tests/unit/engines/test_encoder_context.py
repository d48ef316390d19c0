import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines import encoder_context

COUNTED = st.sampled_from([256, 512, 768, 1024, 1280])
SAMPLES = st.integers(201, 16_000 * 40)


@given(COUNTED, SAMPLES)
def test_context_never_cuts_speech_and_keeps_the_step(shortest, samples):
    """A context covers the speech and is a multiple of 256, or it is the full window."""
    context = encoder_context.plain(shortest, samples)
    assert not context.is_weighed
    if context.frames == 0:
        assert samples / 320 > encoder_context.FULL - 256
    else:
        assert context.frames % 256 == 0
        assert context.frames >= max(shortest, samples / 320)


def test_full_context_is_left_to_whisper():
    """audio_ctx 0 asks for the full window whatever the length."""
    assert encoder_context.plain(0, 8000).frames == 0


@given(COUNTED, SAMPLES)
def test_silence_that_is_not_computed_is_counted(counted, samples):
    """Less is computed than is counted; speech counts once, its end with it, and all together count as the context."""
    context = encoder_context.weighed(counted, samples)
    if context is None:
        assert samples / 320 > counted - 256 or samples < 2000
        return
    assert context.is_weighed
    assert samples / 320 < context.silent_from < context.frames < counted
    assert context.frames % 64 == 0
    assert context.times > 1
    assert context.silent_from + context.times * (context.frames - context.silent_from) == pytest.approx(counted)
