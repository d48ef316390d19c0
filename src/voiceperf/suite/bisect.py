"""Which revision brought a change: each is compared with the last good one, half of those in doubt at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.suite.revision import Revision


@dataclass(frozen=True)
class Bisected:
    """What is known in the end.

    Attributes:
        good: the last revision that is as good as the first one.
        bad: the first that is slower or worse, as far as could be told; None where the last one is not.
        finding: of the last comparison that says so, or of the one that could not tell.
        between: revisions that are neither.
    """

    good: Revision
    bad: Revision | None
    finding: Finding
    between: Sequence[Revision] = ()


def bisect(revisions: Sequence[Revision], judge: Callable[[Revision], Finding]) -> Bisected:
    """Search the first bad revision.

    Args:
        revisions: from one that is good to the one that may be bad, each the child of the one before.
        judge: a comparison of a revision with the first one: FAIL is bad, PASS is good.

    Returns:
        The change's place, or the range in which a comparison could not tell.
    """
    found = judge(revisions[-1])
    if found.verdict is not Verdict.FAIL:
        return Bisected(revisions[0], None, found, () if found.verdict is Verdict.PASS else revisions[1:])
    good, bad = 0, len(revisions) - 1
    while bad - good > 1:
        middle = (good + bad) // 2
        finding = judge(revisions[middle])
        if finding.verdict is Verdict.FAIL:
            bad, found = middle, finding
        elif finding.verdict is Verdict.PASS:
            good = middle
        else:
            return Bisected(revisions[good], revisions[bad], finding, revisions[good + 1 : bad])
    return Bisected(revisions[good], revisions[bad], found)
