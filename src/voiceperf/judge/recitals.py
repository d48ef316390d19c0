"""How likely an engine finds what was said, beside a baseline: which shows a loss before words are lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from voiceperf.judge.statistics import Interval, difference_interval, stretched
from voiceperf.judge.text import MIN_SPEAKERS, ONE_SIDED

MAX_EXTRA_NATS = 0.06  # a token; between base Q5_1 (0.03) and Q4_0 (0.13): docs/FINDINGS.md
_MOST_SHARE = 0.1  # of all tokens, that one speaker counts for: else two voices would decide

TokenLogProbs = Sequence[float]
"""Of one recital."""


def extra_nats(
    baseline: Sequence[TokenLogProbs], candidate: Sequence[TokenLogProbs], speakers: Sequence[str]
) -> Interval | None:
    """By how much less likely the candidate finds a token of what was said, in nats, with its one-sided 95% interval.

    Whole speakers are drawn, none of which counts for more than a tenth of all tokens, and the interval is stretched as
    Student's t is for as many speakers as count (Kish's effective number, "Survey Sampling", 1965). Of fewer than five
    speakers single utterances are drawn: it then holds for these speakers.

    Returns:
        None without a token.
    """
    tokens: Counter[str] = Counter()
    for speaker, log_probs in zip(speakers, baseline, strict=True):
        tokens[speaker] += len(log_probs)
    most = _MOST_SHARE * tokens.total()
    share = {speaker: min(1.0, most / count) if count else 1.0 for speaker, count in tokens.items()}
    are_many = len(tokens) >= MIN_SPEAKERS
    weights = [(share[speaker] if are_many else 1.0) for speaker in speakers]
    found = difference_interval(
        [(-weight * sum(a), -weight * sum(b)) for weight, a, b in zip(weights, baseline, candidate, strict=True)],
        [weight * len(a) for weight, a in zip(weights, baseline, strict=True)],
        speakers if are_many else range(len(speakers)),
        ONE_SIDED,
    )
    if found is None:
        return None
    counts = [share[one] * count for one, count in tokens.items()] if are_many else list(map(len, baseline))
    effective = sum(counts) ** 2 / sum(count**2 for count in counts)
    return stretched(found, effective - 1)
