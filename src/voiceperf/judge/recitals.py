"""How likely an engine finds what was said, beside a baseline: which shows a loss before words are lost."""

from __future__ import annotations

from collections.abc import Sequence

from voiceperf.judge.speakers import ONE_SIDED, difference_over_speakers
from voiceperf.judge.statistics import Interval

MAX_EXTRA_NATS = 0.06  # a token; between base Q5_1 (0.03) and Q4_0 (0.13): docs/FINDINGS.md

TokenLogProbs = Sequence[float]
"""Of one recital."""


def extra_nats(
    baseline: Sequence[TokenLogProbs],
    candidate: Sequence[TokenLogProbs],
    speakers: Sequence[str],
    confidence: float = ONE_SIDED,
) -> Interval | None:
    """By how much less likely the candidate finds a token of what was said, in nats; None without a token."""
    return difference_over_speakers(
        [(-sum(a), -sum(b)) for a, b in zip(baseline, candidate, strict=True)],
        [len(a) for a in baseline],
        speakers,
        confidence,
    )
