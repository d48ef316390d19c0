"""Answers judged by what a caller notices, where models share no vocabulary or give no scores.

Does the answer stay on the question, is it there at all, does it go round in circles, how long is it, and does it pass
the checks that somebody wrote for it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from voiceperf.judge.speakers import ONE_SIDED
from voiceperf.judge.statistics import Interval, difference_interval, stretched
from voiceperf.judge.text import normalise
from voiceperf.judge.verdict import Finding, at_most, point_at_most, worst
from voiceperf.loops import is_loop

MAX_LOSS = 0.06  # of relatedness: answers to other questions lose 0.09 to 0.15 (docs/FINDINGS.md, Answers)
MAX_MORE_FAULTS = 0.05  # of the answers may be empty or go round in circles, beyond the baseline's
MAX_LENGTH_RATIO = 2.0  # either way: twice as much to listen to, or half an answer
MIN_ANSWERS = 10
_LETTERS = 5  # of which a stretch is a word or two halves, and seldom there by chance


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        text: what the model says.
        said: all that was said before it, and the answer that was written for its place.
        passed: whether it passes the check that was written for it; None where there is none.
    """

    text: str
    said: str
    passed: bool | None = None

    @property
    def is_faulty(self) -> bool:
        """Whether there is none, or it goes round in circles."""
        return not self.text.strip() or is_loop(normalise(self.text))


def relatedness(text: str, said: str) -> float:
    """How much of an answer is about what was said: the share of its stretches of letters that occur there, 0 to 1.

    The precision of character n-grams, one half of chrF (Popović, "chrF: character n-gram F-score for automatic MT
    evaluation", WMT 2015); it needs no words, so that it takes any language.
    """
    ours, theirs = (_stretches(one) for one in (text, said))
    return (sum(count for stretch, count in ours.items() if stretch in theirs) / ours.total()) if ours else 0.0


def _stretches(text: str) -> Counter[str]:
    folded = " ".join(text.casefold().split())
    return Counter(folded[at : at + _LETTERS] for at in range(len(folded) - _LETTERS + 1))


@dataclass(frozen=True)
class AnswersComparison:
    """How a candidate answers beside a baseline, to the same questions.

    `lost` is the baseline's mean relatedness less the candidate's, with a one-sided 95% bound; whole conversations are
    drawn. `more_faults` is the share of faulty answers beyond the baseline's. `new_failures` counts the checks that
    only the baseline passes.
    """

    lost: Interval
    more_faults: float
    length_ratio: float
    passed: tuple[int, int]
    checks: int
    new_failures: int

    def finding(self) -> Finding:
        longer = max(self.length_ratio, 1 / self.length_ratio if self.length_ratio else math.inf)
        return worst(
            [
                at_most(self.lost, MAX_LOSS, "answers less related to what was said", MIN_ANSWERS),
                point_at_most(self.more_faults, MAX_MORE_FAULTS, "share of new empty or looping answers"),
                point_at_most(longer, MAX_LENGTH_RATIO, "length ratio of the answers"),
                point_at_most(self.new_failures, 0, "checks that only the baseline passes"),
            ]
        )


def compare_answers(
    baseline: Sequence[Answer], candidate: Sequence[Answer], conversations: Sequence[Hashable]
) -> AnswersComparison | None:
    """Compare two models' answers to the same questions; None without any.

    Args:
        baseline: its answers.
        candidate: its answers, in the same order.
        conversations: which one each is of.
    """
    if not baseline:
        return None
    pairs = list(zip(baseline, candidate, strict=True))
    unrelated = [(1 - relatedness(a.text, a.said), 1 - relatedness(b.text, b.said)) for a, b in pairs]
    lost = difference_interval(unrelated, [1.0] * len(pairs), conversations, ONE_SIDED)
    assert lost is not None  # there are answers, each of which counts
    words = [sum(len(one.text.split()) for one in side) for side in (baseline, candidate)]
    checked = [(a.passed, b.passed) for a, b in pairs if a.passed is not None and b.passed is not None]
    return AnswersComparison(
        stretched(lost, len(set(conversations)) - 1),
        sum(b.is_faulty - a.is_faulty for a, b in pairs) / len(pairs),
        words[1] / words[0] if words[0] else 1.0,
        (sum(a for a, _ in checked), sum(b for _, b in checked)),
        len(checked),
        sum(a and not b for a, b in checked),
    )
