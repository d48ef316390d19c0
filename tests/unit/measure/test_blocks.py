"""Blocks: who runs when, and what is kept."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.measure.blocks import Blocks, Rounds, balanced_orders, pairs_of
from voiceperf.measure.clock import Timing


def recorded(sides="AB", begin_at=0):
    order = []

    def run(name):
        order.append(name)
        return Timing(len(order), 0)

    return Blocks({name: lambda name=name: run(name) for name in sides}, begin_at), order


def test_two_sides_run_in_the_order_abba():
    """Neither of two sides is always first."""
    blocks, order = recorded()
    for _ in range(4):
        blocks.one_more()
    assert "".join(order) == "ABBAABBA"


@pytest.mark.parametrize("sides", [2, 3, 4, 5])
def test_every_side_follows_every_side_equally_often(sides):
    """Over a cycle of blocks each side comes right after each of the others, and after itself, equally often."""
    orders = balanced_orders(sides)
    runs = [side for order in orders for side in order]
    steps = Counter(pairwise([*runs, runs[0]]))
    assert set(steps) == {(a, b) for a in range(sides) for b in range(sides)}
    assert len(set(steps.values())) == 1
    assert all(sorted(order) == list(range(sides)) for order in orders)


@given(st.integers(0, 30), st.integers(0, 7))
def test_all_sides_run_equally_often(rounds, begin_at):
    """Every block has one run of each side, wherever the cycle begins."""
    blocks, order = recorded("ABCD", begin_at)
    for _ in range(rounds):
        blocks.one_more()
    assert len(blocks.taken) == rounds
    assert all(order.count(side) == rounds for side in "ABCD")


@given(st.integers(0, 7))
def test_warm_up_ends_with_the_side_that_goes_first(begin_at):
    """The first run of the first block follows itself, as the first run of every block does; warming up is not kept."""
    blocks, order = recorded("ABCD", begin_at)
    blocks.warm_up()
    blocks.one_more()
    assert order[3] == order[4]
    assert sorted(order[:4]) == list("ABCD")
    assert len(blocks.taken) == 1


def test_pairs_are_of_blocks_that_have_both_sides():
    """Where one side did not run there is no pair, and others are not shifted."""
    blocks = [{"a": Timing(1, 0), "b": Timing(2, 0)}, {"b": Timing(3, 0)}, {"a": Timing(4, 0), "b": Timing(5, 0)}]
    assert pairs_of(blocks, "a", "b") == [(1, 2), (4, 5)]


def test_rounds_run_one_block_of_every_input():
    """Inputs go round together, and each keeps its own pairs."""
    inputs = {1: recorded()[0], 2: recorded()[0]}
    rounds = Rounds(inputs, "A", "B")
    rounds.one_round()
    rounds.one_round()
    assert rounds.times_ns() == {1: [(1, 2), (4, 3)], 2: [(1, 2), (4, 3)]}
