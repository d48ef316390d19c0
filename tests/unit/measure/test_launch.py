from functools import partial

import pytest
from fake_engine import FakeParams

from voiceperf.engines.base import Line
from voiceperf.errors import EngineError, WorkerError
from voiceperf.measure.clock import Timing
from voiceperf.measure.contender import Contender
from voiceperf.measure.launch import BASELINE, CANDIDATE, Launch, launch
from voiceperf.measure.resources import Resources, together, usage_between

LINES = {1: Line("one"), 2: Line("two words")}


def contender(name="test", **params):
    return Contender(name, FakeParams(**params))


def test_rounds_measure_every_input_once():
    """After three rounds each input has three pairs, baseline first."""
    with launch(contender(), contender(work=200_000), LINES) as both:
        for _ in range(3):
            both.one_round()
        times = both.times_ns()
    assert {number: len(pairs) for number, pairs in times.items()} == {1: 3, 2: 3}
    assert all(candidate > baseline > 0 for pairs in times.values() for baseline, candidate in pairs)


def test_usage_tells_who_used_more():
    """The candidate that works harder has used more processor time; both tell their memory."""
    with launch(contender(work=10), contender(work=2_000_000), LINES) as both:
        for _ in range(3):
            both.one_round()
    baseline, candidate = (both.spent[side].usage for side in (BASELINE, CANDIDATE))
    assert candidate.cpu_s > baseline.cpu_s >= 0
    assert baseline.peak_rss_bytes > 1e6
    assert baseline.involuntary_switches >= 0


def test_failing_contender_leaves_no_process():
    """Where the candidate cannot be loaded, or its first run fails, the baseline is stopped too."""
    with pytest.raises(EngineError, match="not to load"):
        launch(contender(), contender(failure="load"), LINES)
    with (
        pytest.raises(EngineError, match="told to fail"),
        launch(contender(), contender(failure="error"), LINES) as one,
    ):
        one.one_round()


def test_contender_that_crashes_is_named():
    """A crash in the warm-up names the side that died."""
    crashing = contender("new", failure="crash")
    with pytest.raises(WorkerError, match=r"new.*SIGSEGV"), launch(contender(), crashing, LINES) as both:
        both.one_round()


def test_who_is_named_first_runs_first():
    """Each side's start is timed, and the one that is named first begins; a round is as many blocks as it is told."""
    seen = []

    class Runner:
        def __init__(self, name):
            seen.append(f"start {name}")
            self.name = name

        def run(self, key):
            seen.append(f"{self.name} {key}")
            return Timing(1, 1)

        def resources(self):
            return Resources(1, 1, 0.0, 0)

        def close(self):
            seen.append(f"close {self.name}")

    sides = {name: partial(Runner, name) for name in (BASELINE, CANDIDATE)}
    with Launch(sides, [7], blocks_a_round=2) as both:
        both.one_round()
    started, warm, measured, closed = seen[:2], seen[2:4], seen[4:8], seen[8:]
    assert set(started) == {"start baseline", "start candidate"}
    assert warm == ["candidate 7", "baseline 7"]
    assert measured == ["baseline 7", "candidate 7", "candidate 7", "baseline 7"]
    assert set(closed) == {"close candidate", "close baseline"}
    assert all(both.spent[side].start_s > 0 for side in sides)


def test_usage_is_a_difference():
    """Processor time, switches and the host's share count from the first account to the second; the peak does not."""
    before = Resources(10, 20, 1.0, 5, machine_s=100.0, steal_s=1.0)
    after = Resources(10, 30, 3.5, 7, machine_s=120.0, steal_s=2.0)
    used = usage_between(before, after)
    assert (used.cpu_s, used.peak_rss_bytes, used.involuntary_switches) == (2.5, 30, 2)
    assert used.steal == pytest.approx(0.05)


def test_kernel_that_tells_no_steal_gives_none():
    """Missing is None, never 0."""
    assert usage_between(Resources(1, 1, 0.0, 0), Resources(1, 1, 1.0, 0)).steal is None


def test_processes_of_one_machine_add_up():
    """Three processes together use the sum of their memory and time, on the one machine."""
    one = Resources(10, 20, 1.0, 5, machine_s=100.0, steal_s=1.0)
    assert together([one, one, one]) == Resources(30, 60, 3.0, 15, machine_s=100.0, steal_s=1.0)
