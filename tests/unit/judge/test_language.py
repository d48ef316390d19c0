import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.judge.language import PassageComparison, compare_bits, compare_passage, summarise
from voiceperf.judge.verdict import Verdict


def log_probs(logits):
    return (logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))).astype(np.float32)


def passage(seed, shift=0.0, places=200, vocabulary=50):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, 2, (places, vocabulary))
    moved = logits + np.random.default_rng(seed + 1).normal(0, shift, logits.shape)
    tokens = rng.integers(0, vocabulary, places + 1).tolist()
    return log_probs(logits), log_probs(moved), tokens


def test_same_distributions_agree_fully():
    """No difference: zero divergence, full agreement, ratio one, and a PASS."""
    before, _, tokens = passage(1)
    same = summarise([compare_passage(before, before, tokens)] * 6)
    assert (same.kld_nats.estimate, same.top1_agreement, same.perplexity_ratio.estimate) == (0, 1, 1)
    assert same.finding().verdict is Verdict.PASS


def test_known_divergence_is_found():
    """A coin of 1/2 against one of 1/4 diverges by log(2)/2 + log(2/3)/2 nats."""
    fair, bent = np.log([[0.5, 0.5]]), np.log([[0.25, 0.75]])
    compared = compare_passage(fair.astype(np.float32), bent.astype(np.float32), [0, 0])
    assert compared.kld_nats[0] == pytest.approx(0.5 * np.log(2) + 0.5 * np.log(2 / 3), rel=1e-5)
    assert compared.extra_nats[0] == pytest.approx(np.log(2), rel=1e-5)


def test_ruined_model_fails():
    """Logits moved by noise are a FAIL."""
    assert (
        summarise([compare_passage(*passage(seed, shift=1.0)) for seed in range(6)]).finding().verdict is Verdict.FAIL
    )


def test_few_conversations_leave_doubt():
    """A divergence just below its limit in eight unlike conversations is not proven; of two, nothing is."""
    rng = np.random.default_rng(4)

    def scored(count):
        klds = 0.018 * np.exp(rng.normal(0, 0.5, count))
        ones = np.ones(100)
        return summarise([PassageComparison(kld * ones, ones > 0, 0 * ones, ones) for kld in klds])

    eight = scored(8)
    assert eight.kld_nats.low < 0.02 < eight.kld_nats.high
    assert eight.finding().verdict is Verdict.INCONCLUSIVE
    assert scored(2).finding().verdict is Verdict.INVALID


def test_the_divergence_s_bound_holds():
    """Over 300 draws of eight conversations the upper bound lies above the truth in 95%, one-sided."""
    rng, missed = np.random.default_rng(6), 0
    for _ in range(300):
        made = [PassageComparison(np.full(50, abs(kld)), np.ones(50) > 0, np.zeros(50), np.ones(50))
                for kld in rng.normal(0.01, 0.003, 8)]  # fmt: skip
        missed += summarise(made).kld_nats.high < 0.01
    assert missed / 300 <= 0.08


def test_nothing_scored_has_no_summary():
    """No passage is None."""
    assert summarise([]) is None


def test_mismatched_vocabularies_are_refused():
    """Two models with different tokens cannot be compared place by place."""
    with pytest.raises(ValueError, match="cannot be compared"):
        compare_passage(np.zeros((3, 4), np.float32), np.zeros((3, 5), np.float32), [0] * 4)


@given(st.integers(0, 1000), st.floats(0, 2))
def test_divergence_is_never_negative(seed, shift):
    """Gibbs' inequality."""
    compared = compare_passage(*passage(seed, shift, places=5, vocabulary=8))
    assert (compared.kld_nats > -1e-6).all()


def test_bits_a_byte_compare_models_of_any_tokens():
    """The same 10 bytes cost one model 7 nats and the other 14: 1.01 and 2.02 bits a byte, in every conversation."""
    found = compare_bits([(7.0, 14.0)] * 6, [10] * 6, [0, 0, 1, 1, 2, 2])
    assert (found.baseline, found.candidate) == (pytest.approx(1.0099, abs=1e-4), pytest.approx(2.0198, abs=1e-4))
    assert found.more.low == pytest.approx(found.more.high) == pytest.approx(1.0099, abs=1e-4)
    assert compare_bits([], [], []) is None
