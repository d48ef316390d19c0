"""Where a turn's time went, on turns that are made up."""

import pytest

from voiceperf.live.record import TurnRecord
from voiceperf.live.stages import OVERALL, spreads, stages_of

SERVED = {
    "hears": {"queue_ms": 1.0, "engine_ms": 100.0},
    "answers": {"queue_ms": 2.0, "engine_ms": 300.0, "first_ms": 30.0},
    "speaks": {"queue_ms": 3.0, "engine_ms": 150.0, "text_ms": 60.0},
}


def turn(**changes):
    known = {"transcript_ms": 104.0, "first_text_ms": 140.0, "first_audio_ms": 360.0, "served": SERVED}
    return TurnRecord(call=1, turn=1, **{**known, **changes})


def test_what_no_service_claims_is_the_networks():
    """The stages add up to the whole, the rest being the way between them."""
    stages = stages_of(turn())
    assert stages["network"] == pytest.approx(360 - 6 - 100 - 30 - 60 - 150)
    assert sum(value for name, value in stages.items() if name != OVERALL) == pytest.approx(stages[OVERALL])


def test_of_other_services_only_what_a_client_sees_is_told():
    """Services that do not tell their own times have no network figure, instead of a wrong one."""
    stages = stages_of(turn(served={}))
    assert stages == {"ASR": 104.0, "LLM first token": 36.0, "TTS first audio": 220.0, OVERALL: 360.0}


@pytest.mark.parametrize("changes", [{"error": "gone"}, {"first_audio_ms": None}, {"transcript_ms": None}])
def test_a_failed_turn_has_no_times(changes):
    """What was not answered is missing, never 0."""
    assert stages_of(turn(**changes)) is None


def test_spreads_are_over_answered_turns():
    """Median, 95th percentile and the slowest, failed turns left out."""
    found = spreads([*(turn(first_audio_ms=float(ms)) for ms in (400, 500, 600)), turn(error="gone")])[OVERALL]
    assert (found.p50, found.max, found.turns) == (500, 600, 3)
    assert 500 < found.p95 <= 600
    assert (found.p50_interval, found.p95_interval[1]) == ((400, 600), 600)
