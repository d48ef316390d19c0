"""What voiceperf itself costs: our wrappers beside the libraries' own calls, and the way to a worker and back."""

import time
from functools import partial

import numpy as np
import pytest

from voiceperf import engines, places, profiles
from voiceperf.audio import SPEECH_RATE_HZ, read_speech
from voiceperf.engines.base import Line, Prompt, Utterance
from voiceperf.judge.statistics import ratio_interval
from voiceperf.measure.blocks import Blocks, pairs_of
from voiceperf.measure.clock import SystemClock, Timing
from voiceperf.measure.contender import of_profile
from voiceperf.measure.process import WorkerProcess

pytestmark = [pytest.mark.models, pytest.mark.slow]

MAX_OVERHEAD = 0.01
ROUNDS = 8
# these runs are in this very process, which was not started with the preloaded libraries
CHANGES = {
    "whisper": {"vnni_kernels": False, "vad_threshold": 0.0},
    "llama": {"static_split": False, "vnni_kernels": False},
}
REQUESTS = {
    "whisper": Utterance(read_speech(places.fixtures_dir() / "audio" / "flac" / "jfk_d001.flac")[: 8 * SPEECH_RATE_HZ]),
    "llama": Prompt(({"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."}), 32),
    "kokoro": Line("Good evening, and welcome."),
}


def raw_whisper(engine, request):
    import _pywhispercpp as native

    native.whisper_full(engine._context, engine._full, request.audio, request.audio.size)


def raw_llama(engine, request):
    tokens = engine._format.tokens(request.messages, reply_follows=True)
    for count, _ in enumerate(engine._llm.generate(tokens, temp=engine.params.temperature), start=1):
        if count == request.n_tokens:
            return


def raw_kokoro(engine, request):
    engine._kokoro.create(request.text, engine._voices[engine.params.voice])


@pytest.mark.parametrize(("name", "raw"), [("whisper", raw_whisper), ("llama", raw_llama), ("kokoro", raw_kokoro)])
def test_wrapper_overhead(name, raw):
    """Our wrapper is not shown to take over 1% longer than the library's own call: the interval reaches below that."""
    engine = engines.load(of_profile(profiles.load("shipped"), name, CHANGES.get(name)).params)
    request, clock = REQUESTS[name], SystemClock()

    def timed(work):
        engine.prepare(request)
        start = clock.wall_ns()
        work()
        return Timing(clock.wall_ns() - start, 0)

    ours, library = partial(engine.run, request, lambda *mark: None), partial(raw, engine, request)
    blocks = Blocks({"ours": lambda: timed(ours), "library": lambda: timed(library)})
    blocks.warm_up()
    for _ in range(ROUNDS):
        blocks.one_more()
    engine.close()
    interval = ratio_interval({0: pairs_of(blocks.taken, "library", "ours")})
    print(f"{name}: {interval.estimate - 1:+.2%} [{interval.low - 1:+.2%}, {interval.high - 1:+.2%}]")
    assert interval.low - 1 <= MAX_OVERHEAD


@pytest.mark.parametrize("name", REQUESTS)
def test_worker_overhead(name):
    """The way to a worker process and back adds at most 1% to the engine's own time."""
    shares = []
    with WorkerProcess(of_profile(profiles.load("shipped"), name)) as worker:
        worker.load("request", REQUESTS[name])
        worker.run("request")
        for _ in range(ROUNDS):
            start = time.perf_counter_ns()
            timing = worker.run("request")
            waited_ns = time.perf_counter_ns() - start
            shares.append((waited_ns - timing.prepare_ns) / timing.wall_ns - 1)
    print(f"{name}: {np.median(shares):+.2%}")
    assert np.median(shares) <= MAX_OVERHEAD
