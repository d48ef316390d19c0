import json

from voiceperf.log import log_timing


def test_json_log_is_one_object_a_line(monkeypatch, capsys):
    """With VOICEPERF_LOG=json a run becomes one structured line on stderr."""
    monkeypatch.setenv("VOICEPERF_LOG", "json")
    log_timing("whisper", "turn-1", {"wall_ms": 12.5, "tokens": None})
    line = json.loads(capsys.readouterr().err)
    assert (line["engine"], line["input"], line["wall_ms"], line["tokens"]) == ("whisper", "turn-1", 12.5, None)


def test_nothing_is_logged_unasked(monkeypatch, capsys):
    """Without the variable stderr stays clean."""
    monkeypatch.delenv("VOICEPERF_LOG", raising=False)
    log_timing("whisper", "turn-1", {})
    assert capsys.readouterr().err == ""
