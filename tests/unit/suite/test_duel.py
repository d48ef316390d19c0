"""The logic of a duel, on fake rounds and a fake clock: when it stops, what it says, what must recur."""

from contextlib import contextmanager

import numpy as np
import pytest

from voiceperf.judge.regression import Change
from voiceperf.judge.verdict import Verdict
from voiceperf.suite.duel import LOOKS, Duel, Rules, judge_duel

ROUND_S = 2.0


class FakeClock:
    def __init__(self):
        self.now_ns = 0

    def wall_ns(self):
        return self.now_ns


class FakeRounds:
    """Rounds of three inputs with a known ratio and noise; each takes two seconds of a fake clock."""

    def __init__(self, clock, ratio, spread, seed):
        self.clock, self.ratio, self.spread = clock, ratio, spread
        self.rng = np.random.default_rng(seed)
        self.times = {1: [], 2: [], 3: []}

    def one_round(self):
        self.clock.now_ns += int(ROUND_S * 1e9)
        for pairs in self.times.values():
            pairs.append((1.0, float(self.ratio * np.exp(self.rng.normal(0, self.spread)))))

    def times_ns(self):
        return self.times


def duelled(*ratios, spread=0.03, budget_s=170.0, seed=1):
    """Fight with one ratio in each fresh pair of processes, the last one from then on."""
    clock, started = FakeClock(), []

    @contextmanager
    def start():
        ratio = ratios[min(len(started), len(ratios) - 1)]
        started.append(FakeRounds(clock, ratio, spread, seed + len(started)))
        yield started[-1]

    looks = []
    first, fresh, finding = judge_duel(
        start, Rules(budget_s=budget_s), clock, lambda title, rounds, interval: looks.append((title, rounds))
    )
    return Duel("fake", finding, first, fresh), looks, clock.now_ns / 1e9


def test_identical_contenders_are_the_same():
    """Without a difference the duel ends as soon as both sides of the tolerance are excluded."""
    duel, _, _ = duelled(1.0)
    assert (duel.change, duel.finding.verdict) == (Change.SAME, Verdict.PASS)
    assert duel.first.rounds < LOOKS[-1]
    assert duel.fresh is None


def test_slower_recurs_before_it_fails():
    """A slowdown that fresh processes show again is a FAIL."""
    duel, _, _ = duelled(1.2, 1.2)
    assert (duel.change, duel.finding.verdict) == (Change.SLOWER, Verdict.FAIL)
    assert "slower again in fresh processes" in duel.finding.reason


def test_slowdown_of_one_process_is_not_a_verdict():
    """A slowdown that fresh processes do not show is INCONCLUSIVE, and not called slower."""
    duel, _, _ = duelled(1.2, 1.0)
    assert (duel.change, duel.finding.verdict) == (Change.UNCLEAR, Verdict.INCONCLUSIVE)
    assert "did not show it again" in duel.finding.reason


def test_speed_up_is_found_and_passes():
    """A fifth less time, in two pairs of processes, is faster."""
    duel, _, _ = duelled(0.8, 0.8)
    assert (duel.change, duel.finding.verdict) == (Change.FASTER, Verdict.PASS)


def test_speed_up_of_one_process_is_not_claimed():
    """A speed-up that fresh processes do not show is no slowdown either: it passes, and is not called faster."""
    duel, _, _ = duelled(0.8, 1.0)
    assert (duel.change, duel.finding.verdict) == (Change.UNCLEAR, Verdict.PASS)
    assert "did not show it again" in duel.finding.reason


def test_speed_up_that_turns_into_a_slowdown_is_inconclusive():
    """Faster in one pair of processes and slower in the next proves nothing, and does not pass."""
    duel, _, _ = duelled(0.8, 1.2)
    assert (duel.change, duel.finding.verdict) == (Change.UNCLEAR, Verdict.INCONCLUSIVE)


def test_each_look_has_seen_another_pair_of_processes():
    """What one pair of processes shows for as long as it lives is averaged with the next ones'."""
    duel, looks, _ = duelled(1.02, 0.98, 1.0)
    assert duel.change is Change.SAME
    assert len(looks) > 1
    assert duelled(1.02)[0].change is not Change.SAME


def test_clear_cases_stop_at_the_first_look():
    """A large difference takes six rounds in each pair of processes."""
    duel, looks, _ = duelled(1.5, 1.5)
    assert (duel.first.rounds, duel.fresh.rounds) == (LOOKS[0], LOOKS[0])
    assert [rounds for _, rounds in looks] == [LOOKS[0]] * 2


def test_heavy_noise_is_inconclusive_within_the_budget():
    """Noise of half a run's time leaves no verdict, and takes no longer than was allowed."""
    duel, _, spent_s = duelled(1.0, spread=0.5)
    assert (duel.change, duel.finding.verdict) == (Change.UNCLEAR, Verdict.INCONCLUSIVE)
    assert spent_s <= 170


def test_budget_that_ends_early_still_measures_the_least():
    """Even without time, six rounds are measured: fewer would be no data."""
    duel, _, _ = duelled(1.0, budget_s=1.0)
    assert duel.first.rounds == LOOKS[0]


def test_looks_come_only_where_planned():
    """Between the planned places nobody looks, except once when the budget ends."""
    duel, looks, _ = duelled(1.0, spread=0.5, budget_s=60)
    places = [rounds for _, rounds in looks]
    assert places[:-1] == list(LOOKS[: len(places) - 1])
    assert len(places) <= len(LOOKS)
    assert places[-1] == duel.first.rounds


@pytest.mark.parametrize(("ratio", "change"), [(1.0, Change.SLOWER), (1.10, Change.SAME)])
def test_wrong_verdicts_are_rare(ratio, change):
    """In 100 duels at 5% noise, identical contenders are never slower and a tenth is never the same."""
    wrong = [duelled(ratio, ratio, spread=0.05, seed=10 * trial)[0].change is change for trial in range(100)]
    assert sum(wrong) <= 1


def test_record_holds_every_pair():
    """A duel's record has both experiments with all their pairs."""
    record = duelled(1.2, 1.2)[0].as_record()
    assert [len(one["times_ns"][1]) for one in record["experiments"]] == [
        one["rounds"] for one in record["experiments"]
    ]
