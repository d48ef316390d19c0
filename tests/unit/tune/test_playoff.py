"""Who is fastest, where the search could not tell."""

from voiceperf.judge.statistics import Interval
from voiceperf.tune.choice import fastest
from voiceperf.tune.trial import TOGETHER, Raced, Trial


def trial(number, ratio, verdict="PASS"):
    return Trial(number, TOGETHER, {}, ratio, ratio * 0.98, ratio * 1.02, False, verdict, 0.1, "")


class Meetings:
    """Direct races whose outcome is known, by the rival's number."""

    def __init__(self, ratios):
        self.ratios, self.met = ratios, []

    def __call__(self, best, rival):
        self.met.append((best.number, rival.number))
        ratio = self.ratios[rival.number]
        return Raced(None if ratio is None else Interval(ratio, ratio * 0.99, ratio * 1.01, 12))


def test_a_rival_that_wins_directly_is_the_fastest():
    """What seemed 2% slower beside the baseline and is 4% faster beside the best replaces it, and meets the next."""
    meet = Meetings({2: 0.96, 3: 1.1})
    assert fastest([trial(1, 0.50), trial(2, 0.51), trial(3, 0.52)], meet).number == 2
    assert meet.met == [(1, 2), (2, 3)]


def test_a_draw_or_a_failure_changes_nothing():
    """Without a sure win the search's word stands."""
    meet = Meetings({2: 0.995, 3: None})
    assert fastest([trial(1, 0.50), trial(2, 0.51), trial(3, 0.52)], meet).number == 1


def test_only_near_and_feasible_rivals_meet():
    """What is clearly slower, or lost quality, is not raced again."""
    meet = Meetings({})
    assert fastest([trial(1, 0.50), trial(2, 0.60), trial(3, 0.40, "FAIL")], meet).number == 1
    assert meet.met == []


def test_a_setting_proven_elsewhere_is_taken_unless_it_is_surely_beaten():
    """Of equals the proven one, even where the search dropped it or judged nothing of it; a sure loser is not."""
    best, proven = trial(1, 0.50), trial(2, 0.52, verdict="")
    assert fastest([best, proven], Meetings({2: 1.005}), proven) is proven
    assert fastest([best, proven], Meetings({2: 1.02}), proven) is best
    assert fastest([best, proven], Meetings({2: None}), proven) is best


def test_a_proven_setting_that_the_search_found_fastest_meets_nobody():
    """On a slow machine the meetings would take minutes to confirm what both sources say."""
    proven, rival = trial(1, 0.50), trial(2, 0.51)
    assert fastest([proven, rival], Meetings({}), proven) is proven


def test_without_a_feasible_trial_there_is_none():
    """Nothing that holds, nothing chosen."""
    assert fastest([trial(1, 0.4, "FAIL")], Meetings({})) is None
