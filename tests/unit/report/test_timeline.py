"""The picture of a call."""

import pytest

from voiceperf.errors import InputError
from voiceperf.live.record import TurnRecord
from voiceperf.report.timeline_plot import draw

RECORDS = [
    TurnRecord(1, 1, transcript_ms=100, first_text_ms=130, all_text_ms=300, first_audio_ms=250, all_audio_ms=600),
    TurnRecord(1, 2, transcript_ms=90, error="hung up"),
    TurnRecord(2, 1, transcript_ms=100, first_text_ms=130, all_text_ms=300, first_audio_ms=999, all_audio_ms=1200),
]


def test_the_first_call_is_drawn_stage_by_stage(tmp_path):
    """Its turns, also one that failed, each stage by name, and when the answer began to sound; no other call's."""
    draw(RECORDS, "a call", tmp_path / "call.svg")
    text = (tmp_path / "call.svg").read_text()
    for words in ("a call", "turn 1", "turn 2", "hearing: speech end to transcript", "speaking: first word", "250 ms"):
        assert f"<!-- {words}" in text or words in text
    assert "999 ms" not in text


def test_a_picture_of_another_kind_is_refused(tmp_path, one_line):
    """A file that is neither PNG nor SVG is refused by name, and nothing is written."""
    with pytest.raises(InputError) as caught:
        draw(RECORDS, "a call", tmp_path / "call.gif")
    one_line(caught.value, "call.gif", r"\.png or \.svg")
    assert list(tmp_path.iterdir()) == []
