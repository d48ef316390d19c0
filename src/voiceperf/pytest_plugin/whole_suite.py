"""A call replayed: every engine on every turn under every profile, then the criteria.

`pytest --voiceperf-call=DIR` runs it beside a project's own tests. Criteria are judged on the pairs that the benchmarks
have measured; pairs that are missing, because a benchmark was deselected or comes later, are measured then.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voiceperf.call import Turn
from voiceperf.judge.criteria import Criterion
from voiceperf.suite.suite import CRITERIA, Suite
from voiceperf.suite.workloads import LLAMA_COLD, WORKLOADS

# launches differ in reading a prompt by more than the gate's usual threshold (docs/FINDINGS.md, Noise)
LOOSE = {LLAMA_COLD: pytest.mark.voiceperf_max_slowdown(0.35)}


@pytest.mark.parametrize("workload", [pytest.param(name, marks=LOOSE.get(name, ())) for name in WORKLOADS])
def test_turn(
    voiceperf_duel: Callable[[str, str, Turn], None], workload: str, voiceperf_turn: Turn, voiceperf_profile: str
) -> None:
    """One turn's work is done under a profile, in ABBA pairs with the candidate (the candidate's, with the control)."""
    voiceperf_duel(workload, voiceperf_profile, voiceperf_turn)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_criterion(
    voiceperf: Suite, voiceperf_require: Callable[[Criterion], None], criterion: str, voiceperf_baseline: str
) -> None:
    """The candidate clears the bar against a baseline with its whole interval, and is no worse."""
    voiceperf_require(voiceperf.judge(criterion, voiceperf_baseline))


def test_stability(voiceperf: Suite, voiceperf_require: Callable[[Criterion], None]) -> None:
    """The candidate's three engines at once: no error, no changed output, bounded memory and delay."""
    voiceperf_require(voiceperf.judge_stability())
