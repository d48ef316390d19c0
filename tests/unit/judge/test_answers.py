"""Answers of models that cannot be compared token by token."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.answers import MAX_LOSS, Answer, compare_answers, relatedness
from voiceperf.judge.verdict import Verdict

ASKED = "Do you have a table for four on Friday night? We do, at seven, or by the window at nine."
ON_IT = "Yes, we have a table for four at seven on Friday."
OFF_IT = "The bicycle will be repaired tomorrow, bring a charger."
TEN = list(range(10))


@given(st.text(max_size=60), st.text(max_size=60))
def test_it_is_a_share(text, said):
    """Whatever the texts, it lies between nothing and all; a text is all about itself."""
    assert 0 <= relatedness(text, said) <= 1
    assert relatedness(text, said + text) >= relatedness(text, said) - 1e-9
    if len(" ".join(text.casefold().split())) >= 5:
        assert relatedness(text, text) == 1


def test_an_answer_to_something_else_is_less_related():
    """What is about the question shares more of its letters; case and line ends do not count."""
    assert relatedness(ON_IT, ASKED) > 0.5
    assert relatedness(OFF_IT, ASKED) < 0.1
    assert relatedness(ON_IT.upper().replace(" ", "\n"), ASKED) == relatedness(ON_IT, ASKED)


def compared(*pairs, passed=(None, None)):
    before, after = (
        [Answer(text, ASKED, one) for text in side] for side, one in zip(zip(*pairs, strict=True), passed, strict=True)
    )
    return compare_answers(before, after, TEN[: len(pairs)])


def test_the_same_answers_pass():
    """Nothing is lost, nothing is new."""
    found = compared(*[(ON_IT, ON_IT)] * 10)
    assert (found.lost.estimate, found.length_ratio, found.finding().verdict) == (0.0, 1.0, Verdict.PASS)


def test_answers_off_the_question_fail():
    """A model that talks of something else loses far more than may be lost."""
    found = compared(*[(ON_IT, OFF_IT)] * 10)
    assert found.lost.low > MAX_LOSS
    assert found.finding().verdict is Verdict.FAIL


@pytest.mark.parametrize("fault", ["", "  ", "at seven at seven at seven at seven at seven at seven"])
def test_empty_and_looping_answers_fail(fault):
    """One in ten is more than one in twenty."""
    found = compared(*[(ON_IT, ON_IT)] * 9, (ON_IT, fault))
    assert found.more_faults == pytest.approx(0.1)
    assert "empty or looping" in found.finding().reason


@pytest.mark.parametrize(("times", "verdict"), [(1, Verdict.PASS), (3, Verdict.FAIL)])
def test_much_longer_answers_fail(times, verdict):
    """Twice the words are too many to listen to."""
    assert compared(*[(ON_IT, " ".join([ON_IT] * times))] * 10).finding().verdict is verdict


@pytest.mark.parametrize(
    ("passed", "verdict"), [((True, True), Verdict.PASS), ((False, False), Verdict.PASS), ((True, False), Verdict.FAIL)]
)
def test_a_check_that_only_the_baseline_passes_fails(passed, verdict):
    """What neither passes is not the candidate's fault."""
    assert compared(*[(ON_IT, ON_IT)] * 10, passed=passed).finding().verdict is verdict


def test_few_answers_are_no_verdict():
    """Fewer than ten bound nothing; without any there is no comparison."""
    assert compared(*[(ON_IT, ON_IT)] * 9).finding().verdict is Verdict.INVALID
    assert compare_answers([], [], []) is None


def test_equal_models_seldom_fail():
    """Of two hundred comparisons of models whose answers are related alike, at most one in twenty fails."""
    rng = np.random.default_rng(3)
    texts = [ON_IT, OFF_IT, ON_IT + " " + OFF_IT, OFF_IT + " At seven.", "Which would you prefer?"]

    def answers():
        return [Answer(str(text), ASKED) for text in rng.choice(texts, 40)]

    conversations = [number // 4 for number in range(40)]
    failed = [
        compare_answers(answers(), answers(), conversations).finding().verdict is Verdict.FAIL for _ in range(200)
    ]
    assert sum(failed) <= 10
