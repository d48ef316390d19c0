"""A made-up machine without noise, and a search on it."""

import optuna

from voiceperf.engines.llama import LlamaParams
from voiceperf.judge.statistics import Interval
from voiceperf.judge.verdict import Finding, Verdict
from voiceperf.quality.gate import Quality
from voiceperf.tune.choice import PREFERENCES
from voiceperf.tune.search import EngineSearch
from voiceperf.tune.space import Space
from voiceperf.tune.trial import Raced

optuna.logging.set_verbosity(optuna.logging.WARNING)

SPACE = Space(
    LlamaParams(n_threads=4),
    {
        "n_threads": (4, 1, 2),
        "flash_attn": (False, True),
        "use_mmap": (True, False),
        "model": ("smollm2-135m-instruct-q4_1", "smollm2-135m-instruct-q4_0"),
    },
    {},
)
RUINOUS = "smollm2-135m-instruct-q4_0"  # by far the fastest, and worse


def seconds(params):
    """How long a made-up machine takes; flash attention pays only without mmap."""
    time = {4: 1.0, 2: 0.8, 1: 1.5}[params.n_threads]
    time *= 0.7 if params.flash_attn and not params.use_mmap else 1.1 if params.flash_attn else 1.0
    time *= 0.95 if not params.use_mmap else 1.0
    return time * (0.3 if params.model == RUINOUS else 1.0)


class MadeUp:
    """A machine without noise, and a record of what it was asked."""

    def __init__(self):
        self.raced, self.judged = [], []

    def measure(self, params, bar, stage):
        self.raced.append(params)
        ratio = seconds(params)
        return Raced(Interval(ratio, ratio * 0.99, ratio * 1.01, 12, 0.95), dropped=ratio * 0.99 > bar)

    def judge(self, params):
        self.judged.append(params)
        verdict = Verdict.FAIL if params.model == RUINOUS else Verdict.PASS
        return Quality(Finding(verdict, "made up"), "made up", 9.0 if verdict is Verdict.FAIL else 0.1)


class Unwatched:
    """Nobody looks."""

    def trying(self, engine, what): ...

    def ended(self, engine, trial, best): ...


def search(made_up, study=None, hints=(), watch=Unwatched(), prefer="speed"):
    study = study or optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1))
    return EngineSearch(
        study,
        SPACE,
        measure=made_up.measure,
        judge=made_up.judge,
        watch=watch,
        prefer=PREFERENCES[prefer],
        hints=hints,
    )


class Trials:
    """A budget that is counted in trials instead of seconds."""

    def __init__(self, trials, alone=None):
        self._left, self._left_alone = trials, trials if alone is None else alone

    def one_done(self):
        self._left, self._left_alone = self._left - 1, self._left_alone - 1

    def is_over(self):
        return self._left <= 0

    def part(self, share):
        return self if share == 1 else Part(self)


class Part(Trials):
    """The trials of single changes, which are counted in the whole too."""

    def __init__(self, whole):
        super().__init__(min(whole._left_alone, whole._left))
        self._whole = whole

    def one_done(self):
        super().one_done()
        self._whole.one_done()
