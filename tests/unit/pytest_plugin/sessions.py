"""Whole sessions: real plugin, real pytest-benchmark and saved files; only the engines are numbers."""

import contextlib
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from voiceperf import load_call
from voiceperf.cli import main
from voiceperf.engines import names, params_class
from voiceperf.history.ledger import Calibration, write_noise
from voiceperf.judge.noise import Noise, Variance
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.measure.clock import Timing
from voiceperf.measure.control import Control
from voiceperf.measure.resources import Resources
from voiceperf.quality.gate import Quality
from voiceperf.suite.suite import Suite

SUITE = """
    import pytest

    @pytest.mark.parametrize("workload", ["hearing", "thinking"])
    def test_turn(voiceperf_duel, workload, voiceperf_turn, voiceperf_profile):
        voiceperf_duel(workload, voiceperf_profile, voiceperf_turn)

    @pytest.mark.parametrize("criterion", ["hearing_alone", "thinking"])
    def test_criterion(voiceperf, voiceperf_require, criterion, voiceperf_baseline):
        voiceperf_require(voiceperf.judge(criterion, voiceperf_baseline))
"""
for name in names():  # a session within the session must not be the first to load a native library: it unloads it
    params_class(name)
Control()  # likewise of NumPy
SERIES = [
    f"{workload}: shipped / {partner}"
    for workload in ("hearing", "thinking")
    for partner in ("seed", "fair", "control")
]
QUIET = Noise(Variance(0.0001, 40.0), Variance(0.0, 12.0), Variance(0.0001, 30.0))
EXIT = SimpleNamespace(good=0, failed=1, regressed=10, inconclusive=11, invalid=12)


class Numbers(Suite):
    """A suite whose engines answer with numbers: the baselines take 100 ms, the candidate 50 ms, the control 30 ms."""

    slowdown, spread, quality = 1.0, 0.01, Verdict.PASS

    def __init__(self, plan, step):
        super().__init__(plan, step)
        self._rng = np.random.default_rng(int(self.slowdown * 1000))
        self._control = SimpleNamespace(run=lambda: self._timing(30))
        corpus = SimpleNamespace(digest=lambda: "k1")
        self.gate = SimpleNamespace(judge=self._judge_quality, scores={}, perplexity=9.0, corpus=corpus)

    def _timing(self, wall_ms):
        return Timing(int(wall_ms * 1e6 * np.exp(self._rng.normal(0, self.spread))), 1)

    def _processes(self, workload):
        return contextlib.nullcontext(SimpleNamespace(run=self._run, account=lambda *who: Resources(1, 2, 3.0, 4)))

    def _run(self, profile, workload, turn):
        return self._timing(50 * self.slowdown if profile == "shipped" else 100)

    def _judge_quality(self, engine, baseline, candidate):
        return Quality(Finding(self.quality, "as planned"), "words")


def calibrate(session, noise):
    call = load_call(session.call).digest()
    write_noise(session.path / ".benchmarks", {"machine_id": "m1"},
                Calibration("short", call, dict.fromkeys(SERIES, noise)), "today")  # fmt: skip


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["voiceperf", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def unwrapped(done):
    """What was printed, where a sentence may have been broken at the page's width."""
    return " ".join(done.stdout.str().split())


def accept(monkeypatch, run):
    monkeypatch.setattr("voiceperf.cli.history.machine_id", lambda: "m1")
    assert command(monkeypatch, "accept", run) == 0
