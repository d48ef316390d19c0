"""Language models judged against a baseline's weights: KL divergence, top-1 agreement, perplexity."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from voiceperf.judge.speakers import ONE_SIDED
from voiceperf.judge.statistics import Interval, difference_interval, stretched
from voiceperf.judge.verdict import Finding, loss_at_most, worst

MAX_KLD_NATS = 0.02  # between Q8_0 (0.005) and Q4_0 (0.27) of the same model: docs/FINDINGS.md
MAX_PERPLEXITY_RATIO = 1.01  # the plan's limit; Q8_0 measures 0.996, Q4_0 1.113


@dataclass(frozen=True)
class ThinkingComparison:
    """How a candidate's next-token distributions differ from the baseline's, over `tokens` places.

    The intervals are of whole passages, drawn again and again, with their one-sided 95% bounds.
    """

    kld_nats: Interval
    top1_agreement: float
    perplexity_ratio: Interval
    candidate_perplexity: float
    tokens: int

    def finding(self) -> Finding:
        return worst(
            [
                loss_at_most(self.kld_nats, MAX_KLD_NATS, "mean KL divergence (nats)"),
                loss_at_most(self.perplexity_ratio, MAX_PERPLEXITY_RATIO, "perplexity ratio", none=1.0),
            ]
        )


@dataclass(frozen=True)
class PassageComparison:
    """The same of one passage, place by place, each of shape (places,)."""

    kld_nats: NDArray[np.float64]
    agrees: NDArray[np.bool_]
    extra_nats: NDArray[np.float64]
    surprise_nats: NDArray[np.float64]


def compare_passage(
    baseline: NDArray[np.float32], candidate: NDArray[np.float32], token_ids: Sequence[int]
) -> PassageComparison:
    """Compare log probabilities of shape (n - 1, vocabulary) for a passage of n tokens.

    KL(baseline || candidate), as llama.cpp's `perplexity --kl-divergence` defines it.
    """
    if baseline.shape != candidate.shape:
        raise ValueError(f"distributions of shapes {baseline.shape} and {candidate.shape} cannot be compared")
    probabilities = np.exp(baseline.astype(np.float64))
    kld = (probabilities * (baseline - candidate)).sum(axis=1)
    places, following = np.arange(len(token_ids) - 1), np.asarray(token_ids[1:])
    extra = baseline[places, following] - candidate[places, following]
    surprise = -candidate[places, following].astype(np.float64)
    agrees = baseline.argmax(axis=1) == candidate.argmax(axis=1)
    return PassageComparison(kld, agrees, extra.astype(np.float64), surprise)


def summarise(passages: Sequence[PassageComparison]) -> ThinkingComparison | None:
    """Pool passages, each place counting the same; None without any place."""
    kld, extra = _mean([p.kld_nats for p in passages]), _mean([p.extra_nats for p in passages])
    if kld is None or extra is None:
        return None
    agrees = np.concatenate([p.agrees for p in passages])
    perplexity = float(np.exp(np.concatenate([p.surprise_nats for p in passages]).mean()))
    ratio = replace(extra, estimate=math.exp(extra.estimate), low=math.exp(extra.low), high=math.exp(extra.high))
    return ThinkingComparison(kld, float(agrees.mean()), ratio, perplexity, len(agrees))


@dataclass(frozen=True)
class BitsAByte:
    """How many bits written answers cost each of two models for a byte, and the difference with its 95% interval."""

    baseline: float
    candidate: float
    more: Interval


def compare_bits(
    nats: Sequence[tuple[float, float]], sizes: Sequence[int], conversations: Sequence[Hashable]
) -> BitsAByte | None:
    """Compare two models that share no tokens by what the same bytes cost them; None without any.

    Args:
        nats: of each answer, by the baseline and by the candidate.
        sizes: of each answer, in bytes.
        conversations: which one each is of; whole ones are drawn, because answers in one are alike.
    """
    bits = [(before / math.log(2), after / math.log(2)) for before, after in nats]
    more = difference_interval(bits, sizes, conversations, 0.95)
    if more is None:
        return None
    baseline, candidate = (sum(side) / sum(sizes) for side in zip(*bits, strict=True))
    return BitsAByte(baseline, candidate, stretched(more, len(set(conversations)) - 1))


def _mean(nats: Sequence[NDArray[np.float64]]) -> Interval | None:
    """Of all places; whole passages are drawn, because neighbours in one are alike."""
    sums, places = [(0.0, float(one.sum())) for one in nats], [len(one) for one in nats]
    found = difference_interval(sums, places, range(len(nats)), ONE_SIDED)
    return None if found is None else stretched(found, len(nats) - 1)
