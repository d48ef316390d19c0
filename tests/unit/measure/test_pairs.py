from hypothesis import given
from hypothesis import strategies as st

from voiceperf.measure.clock import Timing
from voiceperf.measure.pairs import PairRecorder


def recorder():
    order = []

    def run(name):
        order.append(name)
        return Timing(len(order), 0)

    return PairRecorder(lambda: run("A"), lambda: run("B")), order


def test_order_is_abba():
    """Neither side is always first."""
    pairs, order = recorder()
    for _ in range(4):
        pairs.one_more()
    assert "".join(order) == "ABBAABBA"


@given(st.integers(0, 30))
def test_both_sides_run_equally_often(rounds):
    """Every round leaves one pair, made of one run of each."""
    pairs, order = recorder()
    for _ in range(rounds):
        pairs.one_more()
    assert len(pairs.pairs) == rounds
    assert order.count("A") == order.count("B") == rounds


def test_runs_of_a_pair_are_adjacent():
    """Nothing comes between the two runs of a pair."""
    pairs, _ = recorder()
    for _ in range(6):
        pairs.one_more()
    assert all(abs(pair.subject.wall_ns - pair.partner.wall_ns) == 1 for pair in pairs.pairs)


def test_warm_up_is_not_kept():
    """Warming up runs both sides and records nothing."""
    pairs, order = recorder()
    pairs.warm_up()
    assert sorted(order) == ["A", "B"]
    assert pairs.pairs == []


def test_disabled_benchmark_leaves_no_pair():
    """Where pytest-benchmark runs the subject once without teardown, there is no pair to judge by."""
    pairs, _ = recorder()
    pairs.before()
    pairs.subject()
    assert pairs.pairs == []
