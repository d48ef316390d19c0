"""Call 61 replayed: every engine on every turn under every profile, then the criteria.

The order matters: criteria are judged on the pairs that the benchmarks above them have measured.
"""

import pytest

pytestmark = pytest.mark.models


@pytest.mark.parametrize("workload", ["whisper", "llama", "kokoro", "call"])
def test_turn(duel, workload, turn, profile):
    """One turn's work is done under a profile, in ABBA pairs with the candidate (the candidate's, with the control)."""
    duel(workload, profile, turn)


@pytest.mark.parametrize("workload", ["whisper", "llama", "kokoro", "call"])
def test_criterion(suite, require, workload, baseline):
    """The candidate clears the bar against a baseline with its whole interval, and is no worse."""
    require(suite.judge(workload, baseline))


def test_stability(suite, require):
    """The candidate's three engines at once: no error, no changed output, bounded memory and delay."""
    require(suite.judge_stability())
