"""Calibration: the suite's own benchmarks, again and again in fresh processes, with nothing changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product

from voiceperf.call import Turn
from voiceperf.history.runs import CONTROL, series_name
from voiceperf.judge.planning import Noise, noise_of
from voiceperf.judge.statistics import PairsByInput
from voiceperf.measure.pairs import PairRecorder
from voiceperf.suite.suite import Plan, Suite
from voiceperf.suite.workloads import WORKLOADS

Benchmark = tuple[Turn, str, str]
"""A turn, a profile's name and a workload."""


def benchmarks(plan: Plan, workloads: Sequence[str]) -> list[Benchmark]:
    """Every turn and profile with these workloads, in the suite's own order."""
    profiles = [profile.name for profile in (*plan.baselines, plan.candidate)]
    ordered = [workload for workload in WORKLOADS if workload in workloads]
    return list(product(plan.form.turns(plan.call), profiles, ordered))


def calibrate(
    plan: Plan, chosen: Sequence[Benchmark], launches: int, step: Callable[[int, str], None]
) -> dict[str, Noise]:
    """The noise of every series of the plan that the chosen benchmarks belong to.

    Args:
        plan: what the suite would measure.
        chosen: from `benchmarks`.
        launches: how many times every worker is started anew.
        step: called with the launch and the benchmark that comes next.
    """
    measured: dict[str, list[PairsByInput]] = {}
    for launch in range(launches):
        for name, pairs in _one_launch(plan, chosen, partial(step, launch)).items():
            measured.setdefault(name, []).append(pairs)
    found = {name: noise_of(by_launch) for name, by_launch in measured.items()}
    return {name: noise for name, noise in found.items() if noise is not None}


def _one_launch(plan: Plan, chosen: Sequence[Benchmark], step: Callable[[str], None]) -> Mapping[str, PairsByInput]:
    suite = Suite(plan)
    found: defaultdict[str, dict[int, list[tuple[float, float]]]] = defaultdict(dict)
    try:
        for turn, profile, workload in chosen:
            partner = suite.partner_of(profile)
            name = series_name(workload, profile, partner)
            step(f"{name}, turn {turn.number}")
            pairs = _pairs(suite.measure(workload, profile, turn), subject_last=partner == CONTROL)
            found[name][turn.number] = pairs
    finally:
        suite.close()
    return dict(found)


def _pairs(recorder: PairRecorder, subject_last: bool) -> list[tuple[float, float]]:
    """(reference, candidate) times, as a saved run's series has them."""
    times = [(pair.subject.wall_ns, pair.partner.wall_ns) for pair in recorder.pairs]
    return [(partner, subject) for subject, partner in times] if subject_last else list(times)
