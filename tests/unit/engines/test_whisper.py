import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines.whisper import FULL_CONTEXT, WhisperParams, context_frames, refuse_unsupported, token_cap
from voiceperf.errors import ParameterError


@given(st.sampled_from([256, 512, 768, 1024, 1280]), st.integers(201, 16_000 * 40))
def test_context_never_cuts_speech_and_keeps_the_step(shortest, samples):
    """With flash attention a context covers the speech and is a multiple of 256, or it is the full window."""
    frames = context_frames(WhisperParams(flash_attn=True, audio_ctx=shortest), samples)
    if frames == 0:
        assert samples / 320 > FULL_CONTEXT - 256
    else:
        assert frames % 256 == 0
        assert frames >= max(shortest, samples / 320)


def test_full_context_is_left_to_whisper():
    """audio_ctx 0 asks for the full window whatever the length."""
    assert context_frames(WhisperParams(), 8000) == 0


@pytest.mark.parametrize("audio_ctx", [1, 255, 300, 750, 1500])
def test_context_that_would_depend_on_history_is_refused(audio_ctx, one_line):
    """With flash attention a context that is no multiple of 256 is refused with the reason."""
    with pytest.raises(ParameterError) as caught:
        WhisperParams(flash_attn=True, audio_ctx=audio_ctx)
    one_line(caught.value, "whisper.audio_ctx", "multiple of 256")


def test_any_context_is_fine_without_flash_attention():
    """Without flash attention there is no padding to see."""
    assert WhisperParams(flash_attn=False, audio_ctx=300).audio_ctx == 300


def test_token_cap_grows_with_the_speech():
    """A cap follows the duration, and leaves room for a word with its punctuation."""
    params = WhisperParams(max_tokens_per_s=10)
    assert token_cap(params, 800) == 8
    assert token_cap(params, 32_000) == 20
    assert token_cap(WhisperParams(), 32_000) == 0


def test_gpu_that_this_build_lacks_is_refused(one_line):
    """use_gpu on a CPU build names the parameter and the remedy."""
    from voiceperf.engines.whisper import capabilities

    if next(c for c in capabilities() if c.name == "GPU").available:
        pytest.skip("this build has a GPU")
    with pytest.raises(ParameterError) as caught:
        refuse_unsupported(WhisperParams(use_gpu=True))
    one_line(caught.value, "whisper.use_gpu", "build pywhispercpp")


def test_unknown_language_is_refused(one_line):
    """A language whisper does not know is named."""
    with pytest.raises(ParameterError) as caught:
        refuse_unsupported(WhisperParams(language="klingon"))
    one_line(caught.value, "klingon")
