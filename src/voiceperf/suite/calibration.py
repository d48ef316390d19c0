"""Calibration: the suite's own benchmarks, again and again in fresh processes, with nothing changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import partial
from itertools import product

from voiceperf.call import Turn
from voiceperf.history.runs import CONTROL, series_name
from voiceperf.judge.planning import Noise, noise_of
from voiceperf.judge.statistics import PairsByInput
from voiceperf.measure.pairs import PairRecorder
from voiceperf.suite.suite import WORKLOADS, Plan, Suite


def calibrate(plan: Plan, launches: int, step: Callable[[int, str], None]) -> dict[str, Noise]:
    """The noise of every series of the plan.

    Args:
        plan: what the suite would measure.
        launches: how many times every worker is started anew.
        step: called with the launch and the benchmark that comes next.
    """
    measured: dict[str, list[PairsByInput]] = {}
    for launch in range(launches):
        for name, pairs in _one_launch(plan, partial(step, launch)).items():
            measured.setdefault(name, []).append(pairs)
    found = {name: noise_of(by_launch) for name, by_launch in measured.items()}
    return {name: noise for name, noise in found.items() if noise is not None}


def _one_launch(plan: Plan, step: Callable[[str], None]) -> Mapping[str, PairsByInput]:
    suite = Suite(plan)
    found: defaultdict[str, dict[int, list[tuple[float, float]]]] = defaultdict(dict)
    try:
        for turn, profile, workload in benchmarks(plan):
            partner = suite.partner_of(profile)
            name = series_name(workload, profile, partner)
            step(f"{name}, turn {turn.number}")
            pairs = _pairs(suite.measure(workload, profile, turn), subject_last=partner == CONTROL)
            found[name][turn.number] = pairs
    finally:
        suite.close()
    return dict(found)


def benchmarks(plan: Plan) -> list[tuple[Turn, str, str]]:
    """Every turn, profile and workload, in the suite's own order."""
    profiles = [profile.name for profile in (*plan.baselines, plan.candidate)]
    return list(product(plan.form.turns(plan.call), profiles, WORKLOADS))


def _pairs(recorder: PairRecorder, subject_last: bool) -> list[tuple[float, float]]:
    """(reference, candidate) times, as a saved run's series has them."""
    times = [(pair.subject.wall_ns, pair.partner.wall_ns) for pair in recorder.pairs]
    return [(partner, subject) for subject, partner in times] if subject_last else list(times)
