import contextlib
from types import SimpleNamespace

import numpy as np
import pytest

from voiceperf.measure.clock import Timing
from voiceperf.measure.resources import Resources
from voiceperf.quality.corpus import EVERYTHING
from voiceperf.suite import calibration
from voiceperf.suite.suite import Suite
from voiceperf.suite.workloads import WORKLOADS

SIDES = {name: SimpleNamespace(name=name) for name in ("fair", "shipped")}
TURNS = [SimpleNamespace(number=1), SimpleNamespace(number=2)]
PLAN = SimpleNamespace(
    sides=lambda: SIDES,
    candidate=SIDES["shipped"],
    form=SimpleNamespace(name="full", portion=EVERYTHING, turns=lambda call: TURNS),
    call=None,
    manifest=None,
    conversations=None,
    texts=None,
)


class Numbers(Suite):
    """A suite whose engines answer with numbers; each launch of the candidate has a level of its own."""

    made = 0

    def __init__(self, plan):
        super().__init__(plan)
        type(self).made += 1
        self.rng = np.random.default_rng(type(self).made)
        self.level = float(np.exp(self.rng.normal(0, 0.05)))
        self._control = SimpleNamespace(run=lambda: Timing(int(3e7), 0))

    def _processes(self, workload):
        return contextlib.nullcontext(SimpleNamespace(run=self._run, account=lambda *who: Resources(1, 2, 3.0, 4)))

    def _run(self, side, workload, turn):
        level = self.level if side == "shipped" else 1
        return Timing(int(1e9 * turn.number * np.exp(self.rng.normal(0, 0.01)) * level), 0)


@pytest.fixture
def suites(monkeypatch):
    made = type("Suites", (Numbers,), {"made": 0})
    monkeypatch.setattr(calibration, "Suite", made)
    return made


def calibrate(launches, step=lambda launch, name: None, workloads=WORKLOADS):
    return calibration.calibrate(PLAN, calibration.benchmarks(PLAN, workloads), launches, step)


def test_every_series_is_calibrated(suites):
    """Each workload under each profile has its noise, under the name that a saved run gives it."""
    noise = calibrate(3)
    assert set(noise) == {f"{workload}: shipped / {other}" for workload in WORKLOADS for other in ("fair", "control")}
    assert {found.launch.freedom for found in noise.values()} == {2}


def test_every_launch_has_processes_of_its_own(suites):
    """A launch is a new suite."""
    calibrate(4)
    assert suites.made == 4


def test_each_piece_of_work_is_reported_before_it_begins(suites):
    """Whoever watches learns which launch, workload and turn come next."""
    steps = []
    calibrate(3, lambda launch, name: steps.append((launch, name)), ["thinking"])
    assert steps[:2] == [(0, "thinking, turn 1"), (0, "thinking, turn 2")]
    assert len(steps) == 6


def test_levels_of_launches_are_found(suites):
    """What differs from launch to launch is told apart from the scatter of pairs."""
    noise = calibrate(30)
    for series in ("hearing: shipped / control", "hearing: shipped / fair"):
        assert np.sqrt(noise[series].launch.value) == pytest.approx(0.05, rel=0.3)
    assert np.sqrt(noise["thinking: shipped / control"].pair.value) == pytest.approx(0.01, rel=0.5)


def test_one_workload_can_be_calibrated_alone(suites):
    """Only its own series are measured."""
    assert set(calibrate(3, workloads=["thinking"])) == {"thinking: shipped / fair", "thinking: shipped / control"}
