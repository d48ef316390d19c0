"""Verdicts. PASS only when the whole interval clears the bar; what is missing is INVALID, never PASS."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from voiceperf.judge.statistics import Interval

# fewer pairs than this cannot bound a ratio: with 6, the smallest two-sided sign-test p is 2 / 2**6 = 0.03
MIN_PAIRS = 6


class Verdict(StrEnum):
    """From best to worst."""

    PASS = "PASS"
    NOT_APPLICABLE = "not applicable"  # an engine cannot do what it takes: neither good nor bad
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"
    INVALID = "INVALID"


GATE_EXIT_CODES = {
    Verdict.PASS: 0,
    Verdict.FAIL: 10,
    Verdict.INCONCLUSIVE: 11,
    Verdict.INVALID: 12,
    Verdict.NOT_APPLICABLE: 12,  # of all that was asked nothing could be judged
}
"""How a gate ends its process: apart from pytest's codes, so that CI can tell a regression from a broken test."""


@dataclass(frozen=True)
class Check:
    """A figure held against its bar: `value` is the worst that its interval allows, or the figure where it has none."""

    what: str
    value: float
    bar: float


@dataclass(frozen=True)
class Finding:
    """A verdict with the reason that a reader can check, and the figures that led to it."""

    verdict: Verdict
    reason: str
    checks: tuple[Check, ...] = ()


def worst_verdict(verdicts: Iterable[Verdict]) -> Verdict:
    """The one that decides, where all must pass; without any, INVALID."""
    return max(verdicts, key=list(Verdict).index, default=Verdict.INVALID)


def applicable(findings: Iterable[Finding]) -> list[Finding]:
    """Those that count, where things stand beside each other and not for each other; all, where none does."""
    found = list(findings)
    return [finding for finding in found if finding.verdict is not Verdict.NOT_APPLICABLE] or found


def worst(findings: Iterable[Finding]) -> Finding:
    """The finding that decides, where all must pass, with every reason that speaks for it; without any, INVALID."""
    found = list(findings)
    if not found:
        return Finding(Verdict.INVALID, "nothing was judged")
    verdict = worst_verdict(finding.verdict for finding in found)
    reasons = dict.fromkeys(finding.reason for finding in found if finding.verdict is verdict)
    checks = dict.fromkeys(check for finding in found for check in finding.checks)
    return Finding(verdict, "; ".join(reasons), tuple(checks))


def at_most(interval: Interval | None, bar: float, what: str, min_samples: int = MIN_PAIRS) -> Finding:
    """Judge a figure that must not exceed `bar`, by the whole of its interval."""
    if interval is None:
        return Finding(Verdict.INVALID, f"{what}: not measured")
    if interval.samples < min_samples:
        return Finding(Verdict.INVALID, f"{what}: {interval.samples} samples, {min_samples} are the least")
    checks = (Check(what, interval.high, bar),)
    if not math.isfinite(interval.estimate):
        return Finding(Verdict.FAIL, f"{what}: {interval.estimate}, which is no figure", checks)
    if interval.high <= bar:
        return Finding(Verdict.PASS, f"{what}: {interval.high:.3g} at worst, bar {bar:.3g}", checks)
    if interval.low > bar:
        return Finding(Verdict.FAIL, f"{what}: {interval.low:.3g} at best, bar {bar:.3g}", checks)
    spans = f"{what}: {interval.low:.3g} to {interval.high:.3g} spans the bar {bar:.3g}"
    return Finding(Verdict.INCONCLUSIVE, spans, checks)


def loss_at_most(
    interval: Interval | None, bar: float, what: str, min_samples: int = MIN_PAIRS, *, none: float = 0.0
) -> Finding:
    """Judge a loss, which must not exceed `bar`: as `at_most`, and FAIL where it is surely one and likely too large.

    An interval that reaches from some loss to more than the bar would be in doubt for ever: recordings and texts are
    the same each time.

    Args:
        interval: of the loss.
        bar: the most that may be lost.
        what: is lost.
        min_samples: fewer are INVALID.
        none: the figure where nothing is lost.
    """
    found = at_most(interval, bar, what, min_samples)
    if (
        interval is None
        or found.verdict is not Verdict.INCONCLUSIVE
        or not none < interval.low <= bar < interval.estimate
    ):
        return found
    reason = f"{what}: {interval.estimate:.3g}, surely above {none:g}, bar {bar:.3g}"
    return Finding(Verdict.FAIL, reason, found.checks)


def point_at_most(value: float | None, bar: float, what: str) -> Finding:
    """Judge a figure that has no sampling error of its own."""
    if value is None:
        return Finding(Verdict.INVALID, f"{what}: not measured")
    verdict = Verdict.PASS if value <= bar else Verdict.FAIL
    return Finding(verdict, f"{what}: {value:.3g}, bar {bar:.3g}", (Check(what, value, bar),))
