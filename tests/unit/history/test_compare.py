from dataclasses import replace

from voiceperf.history.compare import compare_runs, differences
from voiceperf.history.runs import Run
from voiceperf.judge.verdict import Verdict

RUN = Run("a", "today", "c", False, {"machine_id": "m1"}, (), {"form": "full"})


def test_other_form_is_invalid(tmp_path):
    """The short form is not held against the full one."""
    comparison = compare_runs(RUN, replace(RUN, record={"form": "short"}), tmp_path)
    assert comparison.finding.verdict is Verdict.INVALID
    assert "full form" in comparison.finding.reason


def test_run_without_fingerprint_is_invalid(tmp_path):
    """What was measured nobody knows where is not compared."""
    comparison = compare_runs(replace(RUN, fingerprint={}), RUN, tmp_path)
    assert "no fingerprint" in comparison.finding.reason


def test_record_says_what_the_table_says(tmp_path):
    """`--json` has the verdict, the reason and every row."""
    record = compare_runs(RUN, RUN, tmp_path).as_record()
    assert record["verdict"] == "INVALID"
    assert record["rows"][0]["reason"] == record["reason"]


def test_differences_are_named_one_by_one():
    """Each library and model that changed, from what to what; ids say nothing to a reader."""
    before = {"id": "1", "system": "Linux 6", "libraries": {"a": "1", "b": "1"}, "models_sha256": {"m": "0" * 64}}
    after = {"id": "2", "system": "Linux 6", "libraries": {"a": "2", "b": "1"}, "models_sha256": {"m": "f" * 64}}
    assert differences(before, after) == ["a 1 -> 2", f"m {'0' * 8} -> {'f' * 8}"]
    assert differences({"system": "Linux 6"}, {"system": "Linux 7"}) == ["system Linux 6 -> Linux 7"]
    assert differences({}, {"libraries": {"a": "1"}}) == ["libraries none -> {'a': '1'}"]
