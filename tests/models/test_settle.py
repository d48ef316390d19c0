"""A profile that does not hold on this machine steps back on real engines until it does."""

from dataclasses import replace
from pathlib import Path

import pytest

from voiceperf import call, profiles
from voiceperf.judge.verdict import Verdict
from voiceperf.profiles import Setting
from voiceperf.quality.corpus import CHOOSING, Corpus, Portion
from voiceperf.suite.settle import Settlement

pytestmark = pytest.mark.models

FIXTURES = Path(__file__).parents[2] / "fixtures"
CALL = call.load(FIXTURES / "calls" / "call61.toml")
MATERIAL = (FIXTURES / "audio" / "manifest.jsonl", FIXTURES / "text" / "conversations.toml")
CORPUS = Corpus(*MATERIAL, Portion(6, 6), use=CHOOSING)
SHIPPED = profiles.load("shipped")


@pytest.mark.slow
def test_what_fails_is_left_and_the_rest_stays():
    """Too short a context and a provider that is not here are stepped back from; the other engine keeps its setting."""
    whisper = Setting(
        {**SHIPPED["whisper"].values, "audio_ctx": 256, "silence_ctx": 0, "retry_ctx": 0}, SHIPPED["whisper"].env
    )
    kokoro = Setting({**SHIPPED["kokoro"].values, "providers": ["CUDAExecutionProvider"]})
    planted = replace(SHIPPED, engines={**SHIPPED.engines, "whisper": whisper, "kokoro": kokoro})
    said = []
    settled = Settlement(CALL, CORPUS, profiles.load("fair")).settle(planted, said.append, SHIPPED)
    assert {engine: settled.profile[engine] for engine in ("whisper", "llama", "kokoro")} == dict(SHIPPED.engines), said
    assert [retreat.role for retreat in settled.retreats] == ["hearing", "speaking"]
    assert "CUDAExecutionProvider" in settled.retreats[1].reason
    assert settled.load.verdict is Verdict.PASS
    assert any(line.startswith("whisper steps back to") for line in said)
