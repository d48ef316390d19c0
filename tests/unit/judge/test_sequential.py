import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from voiceperf.judge.sequential import look_confidence
from voiceperf.suite.duel import LOOKS


@pytest.mark.parametrize(("looks", "boundary"), [(1, 1.960), (2, 2.178), (3, 2.289), (5, 2.413), (10, 2.555)])
def test_boundaries_are_the_published_ones(looks, boundary):
    """Equally spaced looks at 95% give the constants of Pocock's table (Jennison & Turnbull 2000, table 2.1)."""
    confidence = look_confidence(tuple(range(1, looks + 1)), 0.95)
    assert norm.isf((1 - confidence) / 2) == pytest.approx(boundary, abs=0.001)


def test_all_looks_together_keep_the_error_rate():
    """In 20,000 walks without drift, about 5% ever leave the boundary at one of the duel's looks."""
    boundary = norm.isf((1 - look_confidence(LOOKS, 0.95)) / 2)
    walks = np.random.default_rng(1).standard_normal((20_000, LOOKS[-1])).cumsum(axis=1)
    at_looks = walks[:, np.array(LOOKS) - 1] / np.sqrt(LOOKS)
    assert (np.abs(at_looks) > boundary).any(axis=1).mean() == pytest.approx(0.05, abs=0.005)


@settings(deadline=None, max_examples=8)
@given(st.lists(st.integers(1, 60), min_size=2, max_size=5, unique=True), st.sampled_from([0.9, 0.95, 0.99]))
def test_each_look_is_surer_than_all_together(looks, confidence):
    """Looking more than once costs width, but never more than sharing the error rate out would (Bonferroni)."""
    each = look_confidence(tuple(sorted(looks)), confidence)
    assert confidence < each < 1 - (1 - confidence) / len(looks)
