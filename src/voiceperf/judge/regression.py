"""Has it become slower? The one function that decides it, for pairs of a duel and for two saved runs alike."""

from __future__ import annotations

import math
from enum import StrEnum

import scipy

from voiceperf.judge.planning import Noise, required_pairs
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict, at_most

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


def judge_slowdown(interval: Interval | None, max_slowdown: float, noise: Noise | None = None) -> Finding:
    """PASS, FAIL or INCONCLUSIVE for a candidate / baseline time ratio; INVALID where it cannot be judged so.

    Args:
        interval: of the ratio.
        max_slowdown: the threshold, 0.02 for 2%.
        noise: what identical code shows here; a threshold below its floor is refused.
    """
    if noise is not None and max_slowdown < noise.floor:
        return Finding(Verdict.INVALID, _below_the_floor(max_slowdown, noise))
    finding = at_most(interval, 1 + max_slowdown, "time ratio")
    if interval is None or finding.verdict is not Verdict.INCONCLUSIVE:
        return finding
    if noise is not None:  # launches differ too, which more pairs do not mend
        remedy = "settle it side by side, with voiceperf compare --baseline-rev"
    else:
        needed = required_pairs(max_slowdown, _pair_spread(interval))
        remedy = f"{interval.samples} pairs, about {needed} tell {max_slowdown:.1%}"
    return Finding(finding.verdict, f"{finding.reason}; {remedy}")


def _pair_spread(interval: Interval) -> float:
    """The standard deviation of a single log-ratio, read back from an interval of their mean."""
    half_width = math.log(interval.high / interval.low) / 2
    return half_width / float(scipy.stats.norm.isf((1 - interval.confidence) / 2)) * math.sqrt(interval.samples)


def _below_the_floor(max_slowdown: float, noise: Noise) -> str:
    pairs = noise.pairs_for(max_slowdown)
    remedy = (
        "no number of pairs in two runs would do: compare side by side, with voiceperf compare --baseline-rev"
        if pairs is None
        else f"{pairs} pairs a launch would be needed, there were {noise.pairs}"
    )
    return f"a threshold of {max_slowdown:.1%} is below the noise floor of {noise.floor:.1%} here; {remedy}"
