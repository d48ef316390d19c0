"""A call replayed: every engine on every turn under every profile, then the criteria.

`pytest --voiceperf-call=DIR` runs it beside a project's own tests. Criteria are judged on the blocks that the
benchmarks have measured; those that are missing, because a benchmark was deselected or comes later, are measured then.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voiceperf.call import Turn
from voiceperf.judge.criteria import BARS, Criterion
from voiceperf.suite.suite import Suite
from voiceperf.suite.workloads import WORKLOADS

RELATIVE = [bar.key for bar in BARS.values() if bar.is_relative]
OWN = [bar.key for bar in BARS.values() if not bar.is_relative]


@pytest.mark.parametrize("workload", WORKLOADS)
def test_turn(
    voiceperf_duel: Callable[[str, str, Turn], None], workload: str, voiceperf_turn: Turn, voiceperf_profile: str
) -> None:
    """One turn's work is done under a profile, in blocks with the others (the candidate, with the control too)."""
    voiceperf_duel(workload, voiceperf_profile, voiceperf_turn)


@pytest.mark.parametrize("criterion", RELATIVE)
def test_criterion(
    voiceperf: Suite, voiceperf_require: Callable[[Criterion], None], criterion: str, voiceperf_baseline: str
) -> None:
    """The candidate clears the bar against a baseline with its whole interval, and is no worse."""
    voiceperf_require(voiceperf.judge(criterion, voiceperf_baseline))


@pytest.mark.parametrize("criterion", OWN)
def test_own_criterion(voiceperf: Suite, voiceperf_require: Callable[[Criterion], None], criterion: str) -> None:
    """The candidate's own figure clears the bar, and it is no worse than any baseline."""
    voiceperf_require(voiceperf.judge(criterion))
