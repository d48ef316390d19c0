"""Remembered outputs: each input is asked once, by what decides the output."""

import numpy as np
import pytest

from voiceperf.engines.base import Line, Utterance
from voiceperf.engines.kokoro import KokoroParams
from voiceperf.measure.contender import Contender
from voiceperf.suite.outputs import Remembering


class Counting:
    """A worker that answers with how often it was asked."""

    def __init__(self, params):
        self.contender, self.asked = Contender("any", params), 0

    def once(self, request):
        self.asked += 1
        return None, self.asked


@pytest.mark.parametrize("make", [lambda n: Line(f"text {n}"), lambda n: Utterance(np.full(5, n, np.float32))])
def test_one_input_is_asked_once(make):
    """The same line or utterance is answered from memory, another one by the worker."""
    worker = Counting(KokoroParams())
    remembering = Remembering(worker, {})
    answers = [remembering.once(make(number))[1] for number in (1, 1, 2, 1)]
    assert answers == [1, 1, 2, 1]


def test_what_decides_the_output_is_told_apart():
    """Two settings share their outputs only where they differ in nothing but threads."""
    known = {}
    settings = (KokoroParams(), KokoroParams(intra_op_threads=1), KokoroParams(speed=1.5))
    plain, threads, faster = (Counting(params) for params in settings)
    for worker in (plain, threads, faster):
        Remembering(worker, known).once(Line("hello"))
    assert [worker.asked for worker in (plain, threads, faster)] == [1, 0, 1]
