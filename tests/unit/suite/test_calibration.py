from types import SimpleNamespace

import numpy as np
import pytest

from voiceperf.measure.clock import Timing
from voiceperf.measure.pairs import PairRecorder
from voiceperf.suite import calibration
from voiceperf.suite.suite import Suite
from voiceperf.suite.workloads import WORKLOADS

TURNS = [SimpleNamespace(number=1), SimpleNamespace(number=2)]
PLAN = SimpleNamespace(
    baselines=[SimpleNamespace(name="fair")],
    candidate=SimpleNamespace(name="tuned"),
    form=SimpleNamespace(rounds=dict.fromkeys(WORKLOADS, 4), turns=lambda call: TURNS),
    call=None,
)


class Numbers:
    """A suite whose engines answer with numbers; each launch of the candidate has a level of its own."""

    alive = 0

    def __init__(self, plan):
        type(self).alive += 1
        self.plan = plan
        self.rng = np.random.default_rng(type(self).alive)
        self.level = float(np.exp(self.rng.normal(0, 0.05)))

    partner_of = Suite.partner_of
    turns = Suite.turns
    rounds = Suite.rounds
    measure = Suite.measure

    def recorder(self, workload, profile, turn):
        own = profile == "tuned"
        scatter = self.rng.normal(0, 0.01, 100)
        times = (Timing(int(1e9 * turn.number * np.exp(x) * (self.level if own else 1)), 0) for x in scatter)
        return PairRecorder(lambda: next(times), lambda: Timing(int(3e7 if own else 5e8), 0))

    def close(self):
        type(self).closed += 1


@pytest.fixture
def suites(monkeypatch):
    made = type("Suites", (Numbers,), {"alive": 0, "closed": 0})
    monkeypatch.setattr(calibration, "Suite", made)
    return made


def calibrate(launches, step, workloads=WORKLOADS):
    return calibration.calibrate(PLAN, calibration.benchmarks(PLAN, workloads), launches, step)


def test_every_series_is_calibrated(suites):
    """Each workload under each profile has its noise, under the name that a saved run gives it."""
    noise = calibrate(3, lambda launch, name: None)
    assert set(noise) == {f"{workload}: tuned / {other}" for workload in WORKLOADS for other in ("fair", "control")}
    assert all((found.launches, found.pairs) == (3, 8) for found in noise.values())


def test_every_launch_has_processes_of_its_own(suites):
    """A launch is a new suite, and is closed before the next, also when it fails."""
    steps = []
    calibrate(4, lambda launch, name: steps.append((launch, suites.alive - suites.closed)))
    assert (suites.alive, suites.closed) == (4, 4)
    assert {alive for _, alive in steps} == {1}
    with pytest.raises(RuntimeError):
        calibrate(3, lambda launch, name: (_ for _ in ()).throw(RuntimeError))
    assert suites.alive == suites.closed


def test_levels_of_launches_are_found(suites):
    """What differs from launch to launch is told apart from the scatter of pairs."""
    noise = calibrate(30, lambda launch, name: None)
    assert noise["whisper: tuned / control"].launch_spread == pytest.approx(0.05, rel=0.3)
    assert noise["whisper: tuned / fair"].launch_spread < 0.005
    assert noise["whisper: tuned / fair"].pair_spread == pytest.approx(0.01, rel=0.2)


def test_one_workload_can_be_calibrated_alone(suites):
    """Only its own series are measured."""
    assert set(calibrate(3, lambda launch, name: None, ["llama"])) == {"llama: tuned / fair", "llama: tuned / control"}
