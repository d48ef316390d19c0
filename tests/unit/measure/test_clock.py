import pytest

from voiceperf.engines.base import FIRST_TOKEN, Line, Reply, Speech, Utterance
from voiceperf.measure.clock import Timing, timed_run


class FakeClock:
    def __init__(self):
        self.now = 0

    def wall_ns(self):
        return self.now

    def cpu_ns(self):
        return self.now // 2


class SlowEngine:
    """Advances a fake clock: 1000 in preparing, 40 to the first token, 60 after it."""

    def __init__(self, clock):
        self.clock = clock

    def prepare(self, request):
        self.clock.now += 1000

    def run(self, request, mark):
        self.clock.now += 40
        mark(FIRST_TOKEN)
        self.clock.now += 60
        return Reply("hello", (1, 2, 3), 5)


def test_preparing_is_not_timed():
    """Only what happens within the run counts, on the wall and on the processors."""
    clock = FakeClock()
    timing, output = timed_run(SlowEngine(clock), Line("hi"), clock)
    assert (timing.wall_ns, timing.cpu_ns) == (100, 50)
    assert timing.prepare_ns == 1000
    assert output.text == "hello"


def test_marks_count_from_the_start_of_the_run():
    """The first token's moment is relative; decoding is what comes after it."""
    clock = FakeClock()
    timing, _ = timed_run(SlowEngine(clock), Line("hi"), clock)
    assert timing.marks_ns == {FIRST_TOKEN: 40}
    assert timing.ttft_ms == 40 / 1e6
    assert timing.ms_per_token == 60 / 1e6 / 2


def test_rtf_is_against_what_is_heard():
    """A second of work for two seconds heard is 0.5; the untrimmed figure stands beside it."""
    timing = Timing(1_000_000_000, 0, audio_s=4.0, heard_s=2.0)
    assert (timing.rtf, timing.rtf_untrimmed) == (0.5, 0.25)


def test_missing_figures_are_none():
    """Without tokens or sound there is no figure, and no zero either."""
    record = Timing(1, 1).as_record()
    assert [record[key] for key in ("tokens", "audio_s", "rtf", "ttft_ms", "ttfa_ms", "ms_per_token")] == [None] * 6


def test_single_token_has_no_rate():
    """One token says nothing about decoding."""
    assert Timing(100, 0, {FIRST_TOKEN: 40}, tokens=1).ms_per_token is None


@pytest.mark.parametrize("request_type", [Utterance, Speech])
def test_types_are_plain_data(request_type):
    """What crosses the process border is a frozen dataclass."""
    assert request_type.__dataclass_params__.frozen
