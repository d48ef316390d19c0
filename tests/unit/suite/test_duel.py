"""The logic of a duel, on fake rounds and a fake clock: when it stops and what it says."""

from contextlib import contextmanager

import numpy as np
import pytest

from voiceperf.errors import EngineError
from voiceperf.judge.regression import Change
from voiceperf.judge.verdict import Verdict
from voiceperf.suite import duel as duels
from voiceperf.suite.duel import LOOKS, TURN_LOOKS, DuelOfSides, DuelUnderWay, Rules

ROUND_S = 4.0


class FakeClock:
    def __init__(self):
        self.now_ns = 0

    def wall_ns(self):
        return self.now_ns


class FakeRounds:
    """Rounds of three inputs with a known ratio and noise; each takes four seconds of a fake clock, for two blocks."""

    def __init__(self, clock, ratio, spread, seed):
        self.clock, self.ratio, self.spread = clock, ratio, spread
        self.rng = np.random.default_rng(seed)
        self.times = {1: [], 2: [], 3: []}

    def one_round(self):
        self.clock.now_ns += int(ROUND_S * 1e9)
        for pairs in self.times.values():
            noise = np.exp(self.rng.normal(0, self.spread / 2**0.5, (2, 2)))  # of both sides alike
            pairs.extend((float(before), float(self.ratio * after)) for before, after in noise)

    def times_ns(self):
        return self.times


def duelled(*ratios, spread=0.03, budget_s=170.0, seed=1, looks_at=LOOKS):
    """With one ratio in each launch, again and again; also the looks, and what it took."""
    clock, started = FakeClock(), []

    @contextmanager
    def start():
        ratio = ratios[len(started) % len(ratios)]
        started.append(FakeRounds(clock, ratio, spread, 1000 * seed + len(started)))
        yield started[-1]

    looks = []
    duel = DuelUnderWay(
        "fake",
        start,
        Rules(),
        looks=looks_at,
        is_over=lambda: clock.now_ns >= budget_s * 1e9,
        watch=lambda what, rounds, interval: looks.append(rounds),
    )
    while not duel.is_done:
        duel.go_on()
    return duel.ended(), looks, clock.now_ns / 1e9


def test_identical_contenders_are_the_same():
    """Without a difference the duel ends as soon as both sides of the tolerance are excluded."""
    duel, _, _ = duelled(1.0)
    assert (duel.change, duel.finding.verdict) == (Change.SAME, Verdict.PASS)
    assert duel.rounds < LOOKS[-1]


def test_slower_fails():
    """A slowdown that every launch shows is a FAIL, at the first look."""
    duel, looks, _ = duelled(1.2)
    assert (duel.change, duel.finding.verdict) == (Change.SLOWER, Verdict.FAIL)
    assert looks == [LOOKS[0]]


def test_speed_up_is_found_and_passes():
    """A fifth less time is faster."""
    duel, _, _ = duelled(0.8)
    assert (duel.change, duel.finding.verdict) == (Change.FASTER, Verdict.PASS)


def test_slowdown_of_some_processes_is_not_a_verdict():
    """Where every second launch is a fifth slower, however steady within itself, no number of pairs makes it sure."""
    duel, looks, _ = duelled(1.2, 1.0, spread=0.001, budget_s=1000)
    assert (duel.change, duel.finding.verdict) == (Change.UNCLEAR, Verdict.INCONCLUSIVE)
    assert looks == list(LOOKS)


def test_what_processes_differ_by_averages_out():
    """Launches that are 1% faster and slower by luck are the same in the mean."""
    duel, _, _ = duelled(1.01, 0.99)
    assert duel.change is Change.SAME


def test_a_candidate_that_stalls_fails():
    """Every second run four times as long, while the others are as fast: the reason names the stalls."""
    stalling = FakeRounds.one_round

    def one_round(self):
        stalling(self)
        for pairs in self.times.values():
            pairs[0] = (pairs[0][0], pairs[0][1] * 4)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(FakeRounds, "one_round", one_round)
        duel, *_ = duelled(1.0, spread=0.02, budget_s=1000)
    assert duel.finding.verdict is Verdict.FAIL
    assert "runs above 1.5 times the usual" in duel.finding.reason


def test_heavy_noise_is_inconclusive_within_the_budget():
    """Noise of half a run's time leaves no verdict, and takes no longer than was allowed."""
    duel, _, spent_s = duelled(1.0, spread=0.5)
    assert (duel.change, duel.finding.verdict) == (Change.UNCLEAR, Verdict.INCONCLUSIVE)
    assert spent_s <= 170


def test_budget_that_ends_early_still_measures_the_least():
    """Even without time two launches are measured, which bound little: it can seldom tell, and never fails."""
    found = []
    for seed in range(20):
        duel, looks, _ = duelled(1.02, budget_s=1.0, seed=seed)
        assert (duel.rounds, looks) == (2, [2])
        found.append(duel.finding.verdict)
    assert Verdict.FAIL not in found
    assert found.count(Verdict.INCONCLUSIVE) >= 18


def test_looks_come_only_where_planned():
    """Between the planned places nobody looks, except once when the budget ends."""
    duel, looks, _ = duelled(1.0, spread=0.5, budget_s=60)
    assert looks[:-1] == list(LOOKS[: len(looks) - 1])
    assert len(looks) <= len(LOOKS)
    assert looks[-1] == duel.rounds


@pytest.mark.parametrize("looks", [LOOKS, TURN_LOOKS])
@pytest.mark.parametrize(("ratio", "change"), [(1.0, Change.SLOWER), (1.10, Change.SAME)])
def test_wrong_verdicts_are_rare(ratio, change, looks):
    """In 100 duels at 5% noise, identical contenders are never slower and a tenth is never the same."""
    wrong = [duelled(ratio, spread=0.05, seed=trial, looks_at=looks)[0].change is change for trial in range(100)]
    assert sum(wrong) <= 1


def test_a_side_that_fails_is_invalid_with_the_reason():
    """An engine that dies in a later launch ends its duel; the pairs so far are no verdict."""
    clock, started = FakeClock(), []

    @contextmanager
    def start():
        started.append(1)
        if len(started) > LOOKS[0]:
            raise EngineError("the server hung up")
        yield FakeRounds(clock, 1.0, 0.2, len(started))

    duel = DuelUnderWay("fake", start, Rules())
    duel.go_on()
    assert not duel.is_done
    duel.go_on()
    assert duel.is_done
    assert (duel.ended().finding.verdict, duel.ended().finding.reason) == (Verdict.INVALID, "the server hung up")


def test_between_looks_nobodys_processes_are_alive():
    """A duel that waits for its next turn leaves the machine to the others."""
    alive = []

    @contextmanager
    def start():
        alive.append(1)
        yield FakeRounds(FakeClock(), 1.0, 0.5, 1)
        alive.pop()

    duel = DuelUnderWay("fake", start, Rules())
    for _ in range(2):
        duel.go_on()
        assert not alive


def test_record_holds_every_pair():
    """A duel's record has all launches with all their pairs."""
    duel = duelled(1.2)[0]
    record = duel.as_record()
    assert sum(len(launch[1]) for launch in record["launches_ns"]) == 2 * duel.rounds == 2 * record["rounds"]


def test_every_second_launch_begins_with_the_other_side(monkeypatch):
    """What is started first, and runs first, changes from launch to launch."""
    orders = []

    class RefusedError(Exception):
        pass

    def launch(sides, inputs, cost, blocks_a_round):
        assert blocks_a_round == 2
        orders.append(list(sides))
        if len(orders) == 3:
            raise RefusedError
        return FakeLaunch()

    class FakeLaunch(FakeRounds):
        def __init__(self):
            super().__init__(FakeClock(), 1.0, 0.01, 1)

        def __enter__(self):
            return self

        def __exit__(self, *ending):
            pass

    monkeypatch.setattr(duels, "Launch", launch)
    with pytest.raises(RefusedError):
        DuelOfSides("fake", {"baseline": None, "candidate": None}, [1], Rules()).go_on()
    assert orders == [["candidate", "baseline"], ["baseline", "candidate"], ["candidate", "baseline"]]
