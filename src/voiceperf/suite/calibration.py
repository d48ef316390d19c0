"""Calibration: the suite's own benchmarks, again and again in fresh processes, with nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from voiceperf.history.runs import CONTROL, series_name
from voiceperf.judge.planning import Noise, noise_of
from voiceperf.judge.statistics import PairsByInput
from voiceperf.suite.suite import WORKLOADS, Plan, Suite

LAUNCHES = 5  # a t interval from fewer launches is more than four times as wide as their spread


def calibrate(plan: Plan, launches: int, step: Callable[[int, str], None]) -> dict[str, Noise]:
    """The noise of every series of the plan.

    Args:
        plan: what the suite would measure.
        launches: how many times every worker is started anew.
        step: called with the launch and the series that comes next.
    """
    measured: dict[str, list[PairsByInput]] = {}
    for launch in range(launches):
        for name, pairs in _one_launch(plan, partial(step, launch)).items():
            measured.setdefault(name, []).append(pairs)
    found = {name: noise_of(by_launch) for name, by_launch in measured.items()}
    return {name: noise for name, noise in found.items() if noise is not None}


def _one_launch(plan: Plan, step: Callable[[str], None]) -> dict[str, PairsByInput]:
    suite = Suite(plan)
    found = {}
    try:
        for workload in WORKLOADS:
            for profile in (*plan.baselines, plan.candidate):
                name = series_name(workload, profile.name, suite.partner_of(profile.name))
                step(name)
                found[name] = _pairs(suite, workload, profile.name)
    finally:
        suite.close()
    return found


def _pairs(suite: Suite, workload: str, profile: str) -> PairsByInput:
    """(reference, candidate) times by turn, as a saved run's series has them."""
    found = {}
    for turn in suite.turns:
        recorder = suite.recorder(workload, profile, turn)
        recorder.warm_up()
        for _ in range(suite.plan.form.rounds[workload]):
            recorder.one_more()
        pairs = [(pair.subject.wall_ns, pair.partner.wall_ns) for pair in recorder.pairs]
        own = suite.partner_of(profile) == CONTROL
        found[turn.number] = [(b, a) for a, b in pairs] if own else pairs
    return found
