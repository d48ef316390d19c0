"""Calibration: the suite's own benchmarks, again and again in fresh processes, with nothing changed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import product

from voiceperf.call import Turn
from voiceperf.history.runs import CONTROL, series_name
from voiceperf.judge.noise import Noise, noise_of
from voiceperf.judge.statistics import PairsByInput
from voiceperf.suite.plan import Plan
from voiceperf.suite.suite import Suite
from voiceperf.suite.workloads import WORKLOADS

Benchmark = tuple[Turn, str]
"""A turn and a workload."""


def benchmarks(plan: Plan, workloads: Iterable[str]) -> list[Benchmark]:
    """Every turn with these workloads, in the suite's own order."""
    wanted = set(workloads)
    return list(product(plan.form.turns(plan.call), [key for key in WORKLOADS if key in wanted]))


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
    """By series and turn the (reference, candidate) times, as a saved run has them."""
    suite, candidate = Suite(plan), plan.candidate.name
    found: defaultdict[str, dict[int, list[tuple[float, float]]]] = defaultdict(dict)
    for turn, workload in chosen:
        step(f"{workload}, turn {turn.number}")
        taken = suite.measure(workload, turn)
        for profile in plan.sides():
            name = series_name(workload, profile, suite.partner_of(profile))
            reference = CONTROL if profile == candidate else profile
            found[name][turn.number] = taken.pairs(reference, candidate)
    return dict(found)
