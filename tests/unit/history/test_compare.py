from dataclasses import replace

import pytest

from voiceperf.history.compare import compare_runs, differences
from voiceperf.history.ledger import Calibration, write_noise
from voiceperf.history.runs import Run
from voiceperf.judge.planning import Noise
from voiceperf.judge.runs import RunData, Series
from voiceperf.judge.verdict import Finding, Verdict

RUN = Run("a", "today", "c", False, {"machine_id": "m1"}, (), {"form": "full", "call": "c1"}, RunData({}, {}))
NOISE = Noise(launches=5, freedom=4, pairs=6, pair_spread=0.03, launch_spread=0.0, floor=0.05)


@pytest.fixture
def storage(tmp_path):
    """A calibrated machine."""
    write_noise(tmp_path, {"machine_id": "m1"}, Calibration("full", "c1", {"a": NOISE, "a / control": NOISE}), "today")
    return tmp_path


def measured(*names, max_slowdown=None, **libraries):
    times = {1: [(1.0, 1.0)] * 8}
    series = {name: Series(times, max_slowdown) for name in names}
    data = RunData(series, {"c": Finding(Verdict.PASS, "fine")})
    return replace(RUN, data=data, fingerprint={"machine_id": "m1", "libraries": libraries})


def test_runs_of_one_machine_form_and_call_are_judged(storage):
    """Equal runs pass."""
    assert compare_runs(measured("a"), measured("a"), storage).finding.verdict is Verdict.PASS


def test_other_call_is_invalid(storage):
    """Shorter replies are not a faster engine."""
    comparison = compare_runs(RUN, replace(RUN, record={**RUN.record, "call": "c2"}), storage)
    assert "texts or sounds have changed" in comparison.finding.reason


def test_uncalibrated_machine_is_invalid(tmp_path):
    """Without noise nothing is judged."""
    now = replace(measured("a"), data=replace(measured("a").data, series={"a": Series({1: [(1.0, 1.01)] * 8}, None)}))
    assert "voiceperf calibrate" in compare_runs(measured("a"), now, tmp_path).finding.reason


def test_a_run_beside_itself_is_no_change(tmp_path):
    """Whatever is known of a machine's noise, the same measurements have not changed."""
    finding = compare_runs(measured("a"), measured("a"), tmp_path).finding
    assert (finding.verdict, finding.reason) == (Verdict.PASS, "the same measurements: no change")


def test_new_numpy_makes_the_control_another(storage):
    """Times over the control are not compared across versions of NumPy; ratios of engines are."""
    before, after = (measured("a", "a / control", numpy=version) for version in ("2.0", "2.1"))
    found = {row.name: row.finding.verdict for row in compare_runs(before, after, storage).rows}
    assert (found["a"], found["a / control"]) == (Verdict.PASS, Verdict.INVALID)


def test_loosened_threshold_is_said(storage):
    """Whoever widens a marker is seen to have done it."""
    comparison = compare_runs(measured("a"), measured("a", max_slowdown=0.5), storage)
    assert comparison.changed == ("threshold of a default -> 50%",)


def test_other_form_is_invalid(storage):
    """The short form is not held against the full one."""
    comparison = compare_runs(RUN, replace(RUN, record={"form": "short"}), storage)
    assert comparison.finding.verdict is Verdict.INVALID
    assert "full form" in comparison.finding.reason


def test_run_without_fingerprint_is_invalid(tmp_path):
    """What was measured nobody knows where is not compared."""
    comparison = compare_runs(replace(RUN, fingerprint={}), RUN, tmp_path)
    assert "which machine" in comparison.finding.reason


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
