"""Racing on made-up times: when a candidate is dropped, and how many rounds it takes to know."""

from voiceperf.errors import EngineError
from voiceperf.tune.trial import LOOKS, race


def test_a_surely_slower_candidate_is_dropped_at_the_first_look(made_up_launch):
    """What takes half as long again as it may is not measured to the end."""
    launch = made_up_launch((1.0, 1.5))
    raced = race(lambda: launch, bar=1.0)
    assert raced.dropped
    assert launch.rounds == LOOKS[0]


def test_a_faster_candidate_is_never_dropped(made_up_launch):
    """What is faster than the bar is kept, whatever the noise: at most one in a hundred is lost."""
    dropped = [race(lambda seed=seed: made_up_launch((1.0, 0.95), 0.05, seed), bar=1.0).dropped for seed in range(100)]
    assert sum(dropped) <= 1


def test_heavy_noise_takes_all_rounds(made_up_launch):
    """Where pairs scatter, all looks are taken and the interval tells how little is known."""
    launch = made_up_launch((1.0, 0.9), noise=0.3)
    raced = race(lambda: launch, bar=1.0)
    assert launch.rounds == LOOKS[-1]
    assert raced.ratio.low < 0.9 < raced.ratio.high


def test_a_known_ratio_needs_no_more_rounds(made_up_launch):
    """Without noise the first look is enough, and says the ratio."""
    launch = made_up_launch((1.0, 0.5), noise=0.001)
    raced = race(lambda: launch, bar=1.0)
    assert launch.rounds == LOOKS[0]
    assert abs(raced.ratio.estimate - 0.5) < 0.002


def test_a_sure_winner_needs_no_more_rounds(made_up_launch):
    """Where only a win is asked for, the first look that shows one is the last."""
    launch = made_up_launch((1.0, 0.5), noise=0.15)
    raced = race(lambda: launch, bar=1.0, wins_below=0.99)
    assert launch.rounds == LOOKS[0]
    assert raced.ratio.high < 0.99


def test_the_same_code_is_seldom_dropped(made_up_launch):
    """A candidate as fast as the bar is dropped in at most one of twenty races, both sides' errors counted."""
    dropped = [race(lambda seed=seed: made_up_launch((1.0, 1.0), 0.05, seed), bar=1.0).dropped for seed in range(200)]
    assert sum(dropped) <= 10


def test_a_candidate_that_dies_is_a_failure_with_its_reason():
    """A process that cannot be started is no figure, and its reason is kept."""

    def start():
        raise EngineError("killed by SIGSEGV")

    raced = race(start, bar=1.0)
    assert raced.ratio is None
    assert raced.failure == "killed by SIGSEGV"
