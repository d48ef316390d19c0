from dataclasses import replace

import pytest

from voiceperf.engines.base import Transcript
from voiceperf.engines.whisper import (
    WhisperParams,
    looks_wrong,
    refuse_unsupported,
    token_cap,
)
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


@pytest.mark.parametrize("without", [{"vnni_kernels": False}, {"flash_attn": False}, {"audio_ctx": 0}], ids=str)
def test_silence_is_weighed_by_our_attention_alone(one_line, without):
    """Silence that counts more needs our kernels, flash attention and a context to count up to."""
    with pytest.raises(ParameterError) as caught:
        WhisperParams(**{"weigh_silence": True, "vnni_kernels": True, "flash_attn": True, "audio_ctx": 512} | without)
    one_line(caught.value, "whisper.weigh_silence", "needs vnni_kernels, flash_attn and an audio_ctx")


def test_safer_settings_compute_the_silence_first():
    """Every step back is valid by itself, and the first only computes what was weighed."""
    params = WhisperParams(weigh_silence=True, vnni_kernels=True, audio_ctx=512, retry_ctx=1024)
    steps = params.safer()
    assert steps[0] == {"weigh_silence": False}
    assert not any(replace(params, **step).weigh_silence for step in steps)


@pytest.mark.parametrize(
    ("heard", "wrong"),
    [
        (Transcript("Thursday at seven.", 6, 0.9, 2.0), False),
        (Transcript("Thursday at seven.", 6, 0.29, 2.0), True),
        (Transcript("", 0, None, 2.0), True),
        (Transcript("", 1, 0.9, 2.0), True),
        (Transcript("Ask! ask! Ask! ask!", 8, 0.9, 2.0), True),
        (Transcript("a b c d e f g h i j", 20, 0.9, 2.0), True),
    ],
    ids=["sound", "unlikely", "nothing", "no words", "loop", "cut short"],
)
def test_what_looks_wrong_is_tried_again(heard, wrong):
    """Nothing heard, a loop, as many tokens as allowed, or unlikely ones."""
    assert looks_wrong(heard, WhisperParams(max_tokens_per_s=10)) == wrong


def test_any_context_is_fine_without_flash_attention():
    """Without flash attention there is no padding to see."""
    assert WhisperParams(flash_attn=False, audio_ctx=300).audio_ctx == 300


def test_token_cap_grows_with_the_speech():
    """A cap follows the duration, and leaves room for a word with its punctuation."""
    params = WhisperParams(max_tokens_per_s=10)
    assert token_cap(params, 800) == 8
    assert token_cap(params, 32_000) == 20
    assert token_cap(WhisperParams(), 32_000) == 0


def test_unknown_language_is_refused(one_line):
    """A language whisper does not know is named."""
    with pytest.raises(ParameterError) as caught:
        refuse_unsupported(WhisperParams(language="klingon"))
    one_line(caught.value, "klingon")
