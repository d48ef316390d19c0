"""An experiment on made-up rounds: when it looks, when it stops, whose processes run."""

from contextlib import contextmanager

from voiceperf.measure.experiment import experiment


class Rounds:
    """One input whose second side takes a known share of the first's time."""

    def __init__(self, ratio):
        self.ratio, self.pairs = ratio, []

    def one_round(self):
        self.pairs.append((1.0, self.ratio * (1 + 0.001 * (-1) ** len(self.pairs))))

    def times_ns(self):
        return {1: self.pairs}


def observed(*ratios, rounds_a_launch=None, is_clear=lambda interval: False, is_over=lambda: False):
    """With one ratio in each set of processes; also how many were started, how many are alive, and the looks."""
    started, alive, looks = [], [], []

    @contextmanager
    def start():
        started.append(Rounds(ratios[min(len(started), len(ratios) - 1)]))
        alive.append(started[-1])
        yield started[-1]
        alive.remove(started[-1])

    seen = experiment(
        start,
        (2, 4, 8),
        is_clear,
        rounds_a_launch=rounds_a_launch,
        is_over=is_over,
        watch=lambda rounds, interval: looks.append(rounds),
    )
    return seen, started, alive, looks


def test_it_looks_where_planned():
    """Without an answer every planned look is taken, and all rounds count."""
    seen, _, alive, looks = observed(1.0, rounds_a_launch=1)
    assert looks == [2, 4, 8]
    assert (seen.rounds, len(seen.launches)) == (8, 8)
    assert alive == []


def test_an_answer_ends_it():
    """The first look that answers the question is the last."""
    _, started, _, looks = observed(0.5, rounds_a_launch=1, is_clear=lambda interval: interval and interval.high < 0.9)
    assert looks == [2]
    assert len(started) == 2


def test_every_launch_runs_as_many_rounds():
    """Its processes are its own, and what the earlier ones showed is kept beside it."""
    seen, started, alive, _ = observed(1.0, 2.0, 4.0, rounds_a_launch=2)
    assert [len(rounds.pairs) for rounds in started] == [2, 2, 2, 2]
    assert [round(launch[1][0][1]) for launch in seen.launches] == [1, 2, 4, 4]
    assert alive == []


def test_launches_are_the_samples():
    """Two launches that differ leave more doubt than the pairs within them do."""
    apart, _, _, _ = observed(1.0, 1.2, 1.0, 1.2, rounds_a_launch=2)
    alike, _, _, _ = observed(1.1, rounds_a_launch=2)
    assert apart.interval.high / apart.interval.low > 1.2
    assert alike.interval.high / alike.interval.low < 1.02


def test_one_pair_of_processes_may_run_it_all():
    """Where a fresh start costs more than it tells, the first processes stay."""
    seen, started, _, _ = observed(1.0)
    assert len(started) == 1
    assert len(seen.launches[0][1]) == 8


def test_a_budget_that_is_over_leaves_the_first_look():
    """The rounds of the first look are run whatever they take; then time is up."""
    seen, _, _, looks = observed(1.0, rounds_a_launch=1, is_over=lambda: True)
    assert looks == [2]
    assert seen.rounds == 2
