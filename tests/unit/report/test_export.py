import json
from dataclasses import replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from voiceperf.errors import InputError
from voiceperf.history.runs import Run
from voiceperf.history.trend import Point, Trend
from voiceperf.judge.runs import RunData
from voiceperf.report.export import bencher, openmetrics


def point(day, seconds, ratio=None):
    run = Run(f"000{day}", f"2026-01-0{day}T00:00:00+00:00", "c", False, {}, (), {}, RunData({}, {}))
    return Point(run, seconds, ratio)


TREND = Trend("hearing", "m1", (point(1, 0.2, 4.0), point(2, 0.1, 2.0)))


def test_bencher_gets_the_latest_run_in_nanoseconds():
    """One benchmark a trend, with the built-in measure and the one over the control."""
    latest = {"latency": {"value": pytest.approx(1e8)}, "time-over-control": {"value": 2.0}}
    assert json.loads(bencher([TREND])) == {"hearing": latest}


def test_machines_are_told_apart_where_there_are_several():
    """Two machines' times are two benchmarks."""
    other = Trend("hearing", "m2", (point(1, 0.3),))
    found = json.loads(bencher([TREND, other]))
    assert list(found) == ["hearing on m1", "hearing on m2"]
    assert list(found["hearing on m2"]) == ["latency"]


def test_openmetrics_holds_every_run_with_its_time():
    """A parser by others reads each point back, with labels and the second of the run."""
    families = {family.name: family for family in text_string_to_metric_families(openmetrics([TREND]))}
    samples = families["voiceperf_time_seconds"].samples
    assert [(one.labels, one.value) for one in samples] == [
        ({"benchmark": "hearing", "machine": "m1"}, 0.2),
        ({"benchmark": "hearing", "machine": "m1"}, 0.1),
    ]
    assert float(samples[1].timestamp) - float(samples[0].timestamp) == 86400
    assert [one.value for one in families["voiceperf_time_over_control_ratio"].samples] == [4.0, 2.0]


def test_a_run_without_a_date_is_named(one_line):
    """What cannot be placed in time is an error in one line."""
    undated = replace(TREND.points[0], run=replace(TREND.points[0].run, date="soon"))
    with pytest.raises(InputError) as caught:
        openmetrics([Trend("hearing", "m1", (undated,))])
    one_line(caught.value, "0001", "'soon' is no date")
