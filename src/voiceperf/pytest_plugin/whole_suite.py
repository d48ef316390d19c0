"""A call replayed: every engine on every turn under every profile, then the criteria.

`pytest --call DIR` runs it where a project has no suite of its own. The order matters: criteria are judged on the pairs
that the benchmarks above them have measured.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from voiceperf.call import Turn
from voiceperf.judge.criteria import Criterion
from voiceperf.suite.suite import CRITERIA, Suite
from voiceperf.suite.workloads import LLAMA_COLD, WORKLOADS

pytestmark = pytest.mark.models

# launches differ in reading a prompt by more than the gate's usual threshold (docs/FINDINGS.md, Noise)
LOOSE = {LLAMA_COLD: pytest.mark.max_slowdown(0.35)}


@pytest.mark.parametrize("workload", [pytest.param(name, marks=LOOSE.get(name, ())) for name in WORKLOADS])
def test_turn(duel: Callable[[str, str, Turn], None], workload: str, turn: Turn, profile: str) -> None:
    """One turn's work is done under a profile, in ABBA pairs with the candidate (the candidate's, with the control)."""
    duel(workload, profile, turn)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_criterion(voiceperf: Suite, require: Callable[[Criterion], None], criterion: str, baseline: str) -> None:
    """The candidate clears the bar against a baseline with its whole interval, and is no worse."""
    require(voiceperf.judge(criterion, baseline))


def test_stability(voiceperf: Suite, require: Callable[[Criterion], None]) -> None:
    """The candidate's three engines at once: no error, no changed output, bounded memory and delay."""
    require(voiceperf.judge_stability())
