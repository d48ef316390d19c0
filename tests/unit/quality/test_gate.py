"""The quality gate on made-up engines: who is asked, how often, and what comes of failures."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from voiceperf import profiles
from voiceperf.engines.base import Answered, Passage, Recital, Recited, Reply, Scores, Transcript
from voiceperf.errors import EngineError, ParameterError
from voiceperf.judge.verdict import Verdict
from voiceperf.measure.contender import Side
from voiceperf.profiles import Setting
from voiceperf.quality import outputs as module
from voiceperf.quality.corpus import Conversation, Recording
from voiceperf.quality.examples import Examples
from voiceperf.quality.gate import QualityGate
from voiceperf.quality.outputs import Outputs

WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog"]
FAIR = profiles.load("fair")


class Hears:
    """Processes that hear each recording rightly, but for contenders that were told to lose words; and a count."""

    alive = True

    def __init__(self, loses=()):
        self.loses, self.asked, self._who = loses, 0, None

    def __call__(self, contender):
        heard = Hears(self.loses)
        heard._who, heard.count = contender.name, self
        return heard

    def ask(self, request):
        if isinstance(request, Recital):
            return Recited((-0.5,) * len(request.text.split()))
        self.count.asked += 1
        number = round(float(request.audio[0]) * 100)
        words = WORDS[:3] if self._who in self.loses else WORDS
        return Transcript(" ".join([*words, str(number)]), len(words), 0.9, 1.0)

    def close(self):
        pass


@pytest.fixture
def corpus(monkeypatch):
    def recording(number):
        found = Recording(Path(f"{number}.wav"), " ".join([*WORDS, str(number)]), f"speaker {number % 9}", "s", 1.0)
        monkeypatch.setattr(Recording, "audio", lambda self: np.full(9, int(self.path.stem) / 100, np.float32))
        return found

    def some(step=1):
        found = SimpleNamespace(recordings=lambda: {f"{n}.wav": recording(n) for n in range(1, 61, step)})
        found.whole, found.every = some, some
        return found

    return some()


@pytest.fixture
def gate(corpus, tmp_path, monkeypatch):
    """(engines) -> a gate over one cache folder."""
    monkeypatch.setattr(module, "CHECKED_SHARE", 0.0)
    monkeypatch.setattr(module, "decisive", lambda contender: contender.name)
    return lambda engines, **more: QualityGate(None, corpus, outputs=Outputs(tmp_path / "kept", engines), **more)


def side(name, **values):
    return Side(name, FAIR.having("hearing", Setting({"audio_ctx": 512, **values})))


BASE = Side("fair", FAIR)


def test_lost_words_fail(gate):
    """A candidate that hears a third of each sentence is a FAIL, one that hears all of it passes."""
    engines = Hears(loses=("deaf",))
    judged = gate(engines)
    assert judged.judge("hearing", BASE, side("keen")).finding.verdict is Verdict.PASS
    assert judged.judge("hearing", BASE, side("deaf", audio_ctx=256)).finding.verdict is Verdict.FAIL


def test_a_doubt_is_settled_on_all_recordings(gate, corpus):
    """Too few recordings to bound a loss: the others are heard as well, each once; scores are kept of the portion."""
    engines = Hears()
    judged = gate(engines)
    judged.corpus = corpus.every(3)
    assert "60 utterances" in judged.judge("hearing", BASE, side("keen")).text
    assert engines.asked == 120
    assert len(judged.scores["hearing"]) == 20


def test_no_more_is_heard_where_there_is_no_doubt(gate, corpus):
    """A candidate that surely loses words is a FAIL on the portion, and one that loses none a PASS."""
    judged = gate(Hears(loses=("deaf",)))
    judged.corpus = corpus.every(2)
    for who in ("keen", "deaf"):
        assert "30 utterances" in judged.judge("hearing", BASE, side(who, audio_ctx=256 if who == "deaf" else 512)).text


def test_what_counting_does_not_see_is_seen(gate):
    """A candidate that hears every word, and finds what was said much less likely, is a FAIL that says so."""

    class Doubts(Hears):
        def __call__(self, contender):
            heard = Doubts()
            heard._who, heard.count = contender.name, self
            return heard

        def ask(self, request):
            if isinstance(request, Recital):
                return Recited((-1.0 if self._who == "dull" else -0.5,) * len(request.text.split()))
            return super().ask(request)

    quality = gate(Doubts()).judge("hearing", BASE, side("dull"))
    assert quality.finding.verdict is Verdict.FAIL
    assert "WER 0.0% -> 0.0%" in quality.text
    assert "+0.500 nats a token" in quality.text


def test_sides_that_differ_in_threads_are_judged_once(gate):
    """Nothing is asked again for a candidate or a baseline that hears alike, and it is shown beside the others."""
    engines, examples = Hears(), Examples()
    judged = gate(engines, examples=examples)
    judged.judge("hearing", BASE, side("keen"))
    asked = engines.asked
    threads = Setting({**FAIR["hearing"].values, "n_threads": 1})
    judged.judge("hearing", Side("seed", FAIR.having("hearing", threads)), side("keen", n_threads=1))
    assert engines.asked == asked
    assert set(examples.texts["hearing"]["1.wav"]["by_profile"]) == {"fair", "keen", "seed"}


def test_what_nothing_tells_apart_is_asked_once(gate):
    """Where all that decides an output is the same, as in two revisions with the same engines, one side is asked."""
    engines = Hears()
    quality = gate(engines).judge("hearing", BASE, side("fair", audio_ctx=256))
    assert engines.asked == 60
    assert quality.finding.verdict is Verdict.PASS


def test_a_second_session_asks_only_the_candidate(gate):
    """What the baseline makes of the corpus is known from another day; the candidate is asked anew."""
    gate(Hears()).judge("hearing", BASE, side("keen"))
    later = Hears()
    gate(later).judge("hearing", BASE, side("keen"))
    assert later.asked == 60


def test_stale_outputs_are_made_anew_with_a_loud_line(gate, monkeypatch, capsys):
    """Where a baseline does not hear any more as was kept, all of it is heard again, and the verdict is of that."""
    gate(Hears(loses=("fair",))).judge("hearing", BASE, side("keen"))
    monkeypatch.setattr(module, "CHECKED_SHARE", 0.2)
    again = Hears()
    quality = gate(again).judge("hearing", BASE, side("keen"))
    assert "WER 0.0% -> 0.0%" in quality.text
    assert "are not what it makes now; all are made anew" in capsys.readouterr().err


@pytest.mark.parametrize("error", [EngineError("it died"), ParameterError("no such value")])
def test_a_candidate_that_does_not_run_fails_on_trial(gate, monkeypatch, error):
    """On trial an engine that fails is a FAIL with the reason; in a comparison it is an error."""

    def die(contender):
        raise error

    judged = gate(die)
    assert judged.holds("hearing", BASE, side("keen")).finding.reason == str(error)
    with pytest.raises(type(error)):
        judged.judge("hearing", BASE, side("keen"))


def test_a_sampler_that_says_other_words_is_judged_by_them(gate, corpus):
    """The same scores and another temperature: answers are asked for too; with the same one, scores are enough."""
    corpus.scored = lambda: [Conversation("evaluation", "s", ASKED, {})] * 6
    for values, is_asked in (({"n_ctx": 1024}, False), ({"temperature": 5.0}, True), ({"stop": ("!",)}, True)):
        other = Side("other", FAIR.having("thinking", Setting(values)))
        text = gate(Thinks({})).judge("thinking", BASE, other).text
        assert "KLD" in text
        assert ("72 answers" in text) is is_asked


class Thinks:
    """Processes that score passages with tokens of their own, and answer as they are told."""

    alive = True

    def __init__(self, tokens, answer="It is booked for four."):
        self.tokens, self.answer, self._who = tokens, answer, None

    def __call__(self, contender):
        self._who = contender.name
        started = Thinks(self.tokens, self.answer)
        started._who = contender.name
        return started

    def ask(self, request):
        tokens = self.tokens.get(self._who, (1, 2, 3))
        if isinstance(request, Passage):
            return Scores(tokens, np.log(np.full((len(tokens) - 1, 7), 1 / 7, np.float32)))
        if isinstance(request, Answered):
            return Recited((-float(len(request.text)) * (1.1 if self._who == "other" else 1.0),))
        return Reply(self.answer, (), 0)

    def close(self):
        pass


ASKED = tuple((f"Book it for {number}.", "It is booked.") for number in range(12))


@pytest.mark.parametrize("checks", [{}, {0: lambda answer: "booked" in answer}])
@pytest.mark.parametrize("tokens", [{}, {"other": (1, 2, 3, 4)}, {"other": (3, 2, 1)}])
def test_models_of_other_vocabularies_are_judged_by_their_answers(gate, corpus, tokens, checks):
    """Of one vocabulary the scores decide; of two, what is answered; checks are asked for in either case."""
    corpus.scored = lambda: [Conversation("evaluation", "s", ASKED, checks)] * 6
    other = Side("other", FAIR.having("thinking", Setting({"n_ctx": 1024})))
    judged = gate(Thinks(tokens)).judge("thinking", BASE, other)
    assert judged.finding.verdict is Verdict.PASS
    assert ("KLD" in judged.text) is (not tokens)
    assert ("72 answers" in judged.text) is bool(tokens or checks)
    assert ("bits a byte 1.44 -> 1.59 [+0.14, +0.14]" in judged.text) is bool(tokens)
    assert ("checks passed 6 -> 6 of 6" in judged.text) is bool(checks)
