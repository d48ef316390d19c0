"""Has it become slower, by the pairs of a duel?"""

from __future__ import annotations

import math
from enum import StrEnum

import scipy

from voiceperf.judge.statistics import CONFIDENCE, Interval
from voiceperf.judge.verdict import Finding, Verdict, at_most

POWER = 0.8  # the usual one (Cohen, 1988)
MAX_SLOWDOWN = 0.03
"""How much slower is still as good: so that unchanged code passes, and 5% is caught, in minutes (METHOD.md)."""


class Change(StrEnum):
    """What an interval shows beyond doubt, where a change within the tolerance counts as none."""

    SLOWER = "slower"
    SAME = "same"
    FASTER = "faster"
    UNCLEAR = "unclear"


def change_of(interval: Interval | None, tolerance: float) -> Change:
    """Classify a time ratio; the test of sameness is Schuirmann's two one-sided tests (1987)."""
    if interval is None:
        return Change.UNCLEAR
    slow, fast = 1 + tolerance, 1 / (1 + tolerance)
    if interval.low > slow:
        return Change.SLOWER
    if interval.high < fast:
        return Change.FASTER
    return Change.SAME if interval.low >= fast and interval.high <= slow else Change.UNCLEAR


def judge_slowdown(interval: Interval | None, max_slowdown: float) -> Finding:
    """PASS, FAIL or INCONCLUSIVE for a candidate / baseline time ratio; INVALID where too little was measured.

    Args:
        interval: of the ratio.
        max_slowdown: the threshold, 0.02 for 2%.
    """
    finding = at_most(interval, 1 + max_slowdown, "time ratio")
    if interval is None or finding.verdict is not Verdict.INCONCLUSIVE:
        return finding
    needed = required_pairs(max_slowdown, _pair_spread(interval))
    return Finding(
        finding.verdict, f"{finding.reason}; {interval.samples} pairs, about {needed} tell {max_slowdown:.1%}"
    )


def required_pairs(effect: float, spread: float, power: float = POWER, confidence: float = CONFIDENCE) -> int:
    """How many pairs show a slowdown of `effect` (0.05 is 5%) where single log-ratios scatter by `spread`.

    The normal formula with Guenther's correction for an estimated spread ("Sample size formulas for normal theory
    t tests", The American Statistician, 1981).
    """
    alpha, beta = float(scipy.stats.norm.isf((1 - confidence) / 2)), float(scipy.stats.norm.isf(1 - power))
    return math.ceil(((alpha + beta) * spread / math.log1p(effect)) ** 2 + alpha**2 / 2)


def _pair_spread(interval: Interval) -> float:
    """The standard deviation of a single log-ratio, read back from an interval of their mean."""
    half_width = math.log(interval.high / interval.low) / 2
    return half_width / float(scipy.stats.norm.isf((1 - interval.confidence) / 2)) * math.sqrt(interval.samples)
