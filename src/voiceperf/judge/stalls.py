"""Runs that take far longer than the same side's usual ones: what a trimmed mean leaves out, and a caller notices."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, median

import numpy as np
import scipy
from numpy.typing import NDArray

from voiceperf.judge.statistics import PairsByInput
from voiceperf.judge.verdict import Check, Finding, Verdict

STALL = 1.5  # times the median of the same side's runs of the same input
MAX_MORE_STALLS = 0.05  # of the runs, beyond the baseline's share
_LEVEL = 0.005  # of being wrong, where both sides stall alike
_LEAST_LAUNCHES = 4


def judge_stalls(launches: Sequence[PairsByInput]) -> Finding:
    """FAIL where the candidate surely stalls more often than the baseline, and likely by too much; else PASS.

    A launch is one sample, because the stalls within one are alike: Student's t over what the shares differ by. Each
    side is held against its own median, so that who is slower as a whole does not seem to stall.

    Args:
        launches: of each the (baseline, candidate) times, by input.
    """
    shares = [_shares(launches, side) for side in (0, 1)]
    before, after = (fmean(side) if side else 0.0 for side in shares)
    what = f"runs above {STALL:g} times the usual: {before:.1%} -> {after:.1%}"
    checks = (Check("share of new stalls", after - before, MAX_MORE_STALLS),)
    is_too_many = after - before > MAX_MORE_STALLS and _surely_more(np.subtract(shares[1], shares[0]))
    return Finding(Verdict.FAIL if is_too_many else Verdict.PASS, what, checks)


def _shares(launches: Sequence[PairsByInput], side: int) -> list[float]:
    """Of each launch the share of a side's runs that stall."""
    inputs = {key for launch in launches for key, pairs in launch.items() if pairs}
    usual = {key: median(pair[side] for launch in launches for pair in launch.get(key, ())) for key in inputs}
    stalls = [
        [pair[side] > STALL * usual[key] for key, pairs in launch.items() for pair in pairs] for launch in launches
    ]
    return [fmean(one) for one in stalls if one]


def _surely_more(differences: NDArray[np.float64]) -> bool:
    if len(differences) < _LEAST_LAUNCHES:
        return False
    if np.ptp(differences) == 0:
        return True  # the same excess each time
    return bool(scipy.stats.ttest_1samp(differences, 0, alternative="greater").pvalue < _LEVEL)
