from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.suite.bisect import bisect


def searched(verdicts):
    """What comes of revisions of which each compares so with the first, and which were compared."""
    asked = []

    def judge(one):
        asked.append(one.number)
        return Finding(verdicts[one.number], f"as revision {one.number} is")

    return bisect([SimpleNamespace(number=number) for number in range(len(verdicts))], judge), asked


@given(st.integers(2, 60), st.data())
def test_the_first_bad_revision_is_found(count, data):
    """Wherever the change is, it is found, in as many comparisons as halving takes."""
    first_bad = data.draw(st.integers(1, count - 1))
    found, asked = searched([Verdict.PASS] * first_bad + [Verdict.FAIL] * (count - first_bad))
    assert (found.good.number, found.bad.number) == (first_bad - 1, first_bad)
    assert found.finding == Finding(Verdict.FAIL, f"as revision {first_bad} is")
    assert len(asked) <= 1 + (count - 1).bit_length()


def test_where_nothing_has_changed_one_comparison_says_so():
    """The last revision is compared first; if it is as good, there is nothing to search."""
    found, asked = searched([Verdict.PASS] * 9)
    assert (found.bad, found.finding.verdict, found.between, asked) == (None, Verdict.PASS, (), [8])


@pytest.mark.parametrize("doubt", [Verdict.INCONCLUSIVE, Verdict.INVALID])
def test_a_comparison_that_cannot_tell_ends_with_what_is_known(doubt):
    """The range in doubt is named, and no revision is blamed by guessing."""
    found, _ = searched([Verdict.PASS, Verdict.PASS, doubt, Verdict.FAIL, Verdict.FAIL])
    assert (found.good.number, found.bad.number, [one.number for one in found.between]) == (0, 4, [1, 2, 3])
    assert found.finding.verdict is doubt
    found, _ = searched([Verdict.PASS, Verdict.PASS, doubt])
    assert (found.bad, [one.number for one in found.between]) == (None, [1, 2])
