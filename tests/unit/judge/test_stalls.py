"""Stalls: seen where they are, and nowhere else."""

import numpy as np
import pytest

from voiceperf.judge.stalls import judge_stalls
from voiceperf.judge.verdict import Verdict


def launches(rng, count=9, *, stalls=(0.0, 0.0), slower=1.0, spread=0.05):
    """So many launches of three inputs with six pairs each; each side stalls at its rate, fivefold."""

    def times(rate, base):
        return base * np.exp(rng.normal(0, spread, 6)) * np.where(rng.random(6) < rate, 5, 1)

    return [
        {key: list(zip(times(stalls[0], key), times(stalls[1], key * slower), strict=True)) for key in (1, 2, 3)}
        for _ in range(count)
    ]


def failed(count=200, **how):
    """The share of so many duels that fail."""
    rng = np.random.default_rng(7)
    return np.mean([judge_stalls(launches(rng, **how)).verdict is Verdict.FAIL for _ in range(count)])


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.2])
def test_sides_that_stall_alike_pass(rate):
    """On a quiet machine and on one that stalls every fifth run, equal sides seldom fail."""
    assert failed(stalls=(rate, rate)) <= 0.02


def test_every_tenth_run_is_seen():
    """One run in ten five times as long, of which a trimmed mean sees nothing, fails in nine of ten duels."""
    assert failed(stalls=(0.0, 0.12)) >= 0.9


def test_a_stall_in_a_hundred_passes():
    """What is within the limit is no failure."""
    assert failed(stalls=(0.0, 0.02)) <= 0.02


def test_who_is_slower_as_a_whole_does_not_stall():
    """Twice as long each time is for the mean to judge."""
    assert failed(slower=2.0) == 0


def test_baseline_that_stalls_is_no_fault_of_the_candidate():
    """The candidate may be the calmer one."""
    assert failed(stalls=(0.2, 0.0)) == 0


def test_too_few_launches_tell_nothing():
    """Two or three are no sample of processes; none at all is none."""
    rng = np.random.default_rng(1)
    assert judge_stalls(launches(rng, 3, stalls=(0.0, 0.9))).verdict is Verdict.PASS
    assert judge_stalls([]).verdict is Verdict.PASS
    assert judge_stalls([{1: []}, {}]).verdict is Verdict.PASS


def test_the_reason_has_both_shares():
    """A reader sees how often either side stalls."""
    rng = np.random.default_rng(2)
    finding = judge_stalls(launches(rng, 12, stalls=(0.0, 0.3)))
    assert finding.verdict is Verdict.FAIL
    assert finding.reason.startswith("runs above 1.5 times the usual: 0.0% -> ")
