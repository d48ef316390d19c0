"""Losses counted utterance by utterance, bounded for speakers who were not recorded."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

from voiceperf.judge.statistics import Interval, difference_interval, stretched

ONE_SIDED = 0.90  # the upper end of a two-sided 90% interval is a one-sided 95% bound
MIN_SPEAKERS = 5  # of fewer, nearly the same are drawn each time, and the interval looks narrower than it is
_MOST_SHARE = 0.1  # of all that counts, that one speaker counts for: else two voices would decide


def difference_over_speakers(
    losses: Sequence[tuple[float, float]],
    sizes: Sequence[float],
    speakers: Sequence[str],
    confidence: float = ONE_SIDED,
) -> Interval | None:
    """Candidate's minus baseline's loss a unit, with its one-sided bound.

    Whole speakers are drawn, none of which counts for more than a tenth of what counts (of fewer than twenty speakers,
    for more than twice the mean), and the interval is stretched as
    Student's t is for as many speakers as count (Kish's effective number, "Survey Sampling", 1965). Of fewer than five
    speakers single utterances are drawn: it then holds for these speakers.

    Args:
        losses: for each utterance the (baseline, candidate) loss, as errors or nats.
        sizes: for each utterance how many units it has, as words or tokens.
        speakers: for each utterance whose it is.
        confidence: of the two-sided interval, of which the upper end is the bound.

    Returns:
        None without a unit.
    """
    units: dict[str, float] = defaultdict(float)
    for speaker, size in zip(speakers, sizes, strict=True):
        units[speaker] += size
    said = [count for count in units.values() if count]
    are_many = len(said) >= MIN_SPEAKERS
    most = _most(said) if are_many else math.inf
    share = {speaker: min(1.0, most / count) if count else 1.0 for speaker, count in units.items()}
    weights = [share[speaker] for speaker in speakers]
    found = difference_interval(
        [(weight * before, weight * after) for weight, (before, after) in zip(weights, losses, strict=True)],
        [weight * size for weight, size in zip(weights, sizes, strict=True)],
        speakers if are_many else range(len(speakers)),
        confidence,
    )
    if found is None:
        return None
    counts = [share[one] * count for one, count in units.items()] if are_many else sizes
    effective = sum(counts) ** 2 / sum(count**2 for count in counts)
    return stretched(found, effective - 1)


def _most(counts: Iterable[float]) -> float:
    """The units that a speaker counts for at most, so that none has more than the share once all are cut to it."""
    ordered = sorted(counts)
    share = max(_MOST_SHARE, 2 / len(ordered))
    below = 0.0
    for place, count in enumerate(ordered):
        cut = len(ordered) - place  # this speaker and those who say more, all cut to what follows
        most = share * below / (1 - share * cut) if share * cut < 1 else math.inf
        if most <= count:
            return most
        below += count
    return ordered[-1]
