"""Remembered outputs: each input is asked once, by what decides the output; a baseline's outlive the process."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from fake_engine import FakeParams

from voiceperf.engines.base import Line, Passage, Piece, Speech, Transcript, Utterance
from voiceperf.engines.kokoro import KokoroParams
from voiceperf.engines.llama_params import LlamaParams
from voiceperf.measure.contender import SOURCE_PATH, Contender
from voiceperf.measure.fingerprint import engine_sources
from voiceperf.quality import outputs as module
from voiceperf.quality.outputs import Outputs, StaleError, decisive


class Engines:
    """Processes that answer with how often they were asked, or as planted; all that were started."""

    def __init__(self, answer=None):
        self.started, self.asked, self._answer = [], 0, answer

    def __call__(self, contender):
        self.started.append(contender)
        return self

    alive = True

    def ask(self, request):
        self.asked += 1
        return self._answer(request) if self._answer else Transcript(f"answer {self.asked}", 1, 0.5, 1.0)

    def close(self):
        pass


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """(engines) -> outputs on one disk, each as in a process of its own; nothing is computed again by chance."""
    monkeypatch.setattr(module, "CHECKED_SHARE", 0.0)
    monkeypatch.setattr(module, "decisive", lambda one: f"{one.name}-{dict(one.params.outcome()).get('speed')}")
    return lambda engines: Outputs(tmp_path / "outputs", engines)


def contender(name="fair", **values):
    return Contender(name, KokoroParams(**values))


def ask(outputs, *requests, on_disk=True, who=None):
    with outputs.of(who or contender(), on_disk=on_disk) as asked:
        return [asked.ask(request) for request in requests]


def speech(text="hello", level=0.25):
    audio = np.full(1200, level, np.float32)
    return Speech(audio, 24_000, 0.05, 0.04, (Piece(text, 0, 600), Piece("there", 600, 1200)))


@pytest.mark.parametrize("make", [lambda n: Line(f"text {n}"), lambda n: Utterance(np.full(5, n, np.float32))])
def test_one_input_is_asked_once(kept, make):
    """The same line or utterance is answered from memory, another one by the worker."""
    engines = Engines()
    ask(kept(engines), *(make(number) for number in (1, 1, 2, 1)), on_disk=False)
    assert engines.asked == 2


def test_what_decides_the_output_is_told_apart(kept):
    """Two settings share their outputs only where they differ in nothing but threads."""
    engines = Engines()
    outputs = kept(engines)
    for values in ({}, {"intra_op_threads": 1}, {"speed": 1.5}):
        ask(outputs, Line("hello"), on_disk=False, who=contender(**values))
    assert [one.params.speed for one in engines.started] == [1.0, 1.5]


@pytest.mark.parametrize("voice", ["", "af_bella"])
def test_a_line_in_another_voice_is_another_input(kept, voice):
    """The voice that a line names is part of what is asked."""
    engines = Engines()
    ask(kept(engines), Line("hello", "am_adam"), Line("hello", voice))
    assert engines.asked == 2


@pytest.mark.parametrize("output", [Transcript("yes", 3, None, 1.5), Transcript("", 0, 0.25, 0.5), speech()])
def test_a_baseline_is_not_asked_again_another_day(kept, output):
    """What was made is read from the disk, equal in every field, and no process is started for it."""
    ask(kept(Engines(lambda request: output)), Line("hello"))
    later = Engines()
    (found,) = ask(kept(later), Line("hello"))
    assert module.same_output(found, output)
    assert vars(found).keys() == vars(output).keys()
    assert getattr(found, "pieces", None) == getattr(output, "pieces", None)
    assert later.started == []


def test_a_candidate_leaves_nothing_on_the_disk(kept):
    """Outputs that were not asked to outlive the process do not."""
    ask(kept(Engines()), Line("hello"), on_disk=False)
    later = Engines()
    ask(kept(later), Line("hello"))
    assert later.asked == 1


def test_a_kept_output_that_is_not_made_any_more_is_found(kept, monkeypatch):
    """What is computed again and comes out otherwise is stale, and once dropped is made anew."""
    ask(kept(Engines(lambda request: speech(level=0.1))), Line("hello"))
    monkeypatch.setattr(module, "CHECKED_SHARE", 1.0)
    outputs = kept(Engines(lambda request: speech(level=0.2)))
    with pytest.raises(StaleError):
        ask(outputs, Line("hello"))
    outputs.drop(contender())
    (found,) = ask(outputs, Line("hello"))
    assert found.audio[0] == np.float32(0.2)


def test_a_random_share_is_computed_again(kept, monkeypatch):
    """About one in twenty of what is read is made anew."""
    lines = [Line(f"line {number}") for number in range(400)]
    same = Engines(lambda request: speech())
    ask(kept(same), *lines)
    monkeypatch.setattr(module, "CHECKED_SHARE", 0.05)
    monkeypatch.setattr(module.random, "random", np.random.default_rng(1).random)
    again = Engines(lambda request: speech())
    ask(kept(again), *lines)
    assert 10 <= again.asked <= 32


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"not a file of ours"])
def test_a_damaged_file_is_made_anew(kept, tmp_path, damage):
    """A kept output that cannot be read is computed, as if it were not there."""
    ask(kept(Engines()), Line("hello"))
    (file,) = (tmp_path / "outputs").rglob("*.npz")
    file.write_bytes(damage)
    engines = Engines()
    ask(kept(engines), Line("hello"))
    assert engines.asked == 1


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    """Where the folder is a file, outputs are computed every time and nothing fails."""
    (tmp_path / "outputs").write_text("in the way")
    engines = Engines()
    outputs = Outputs(tmp_path / "outputs", engines)
    monkeypatch.setattr(module, "decisive", lambda contender: "fair")
    assert ask(outputs, Line("hello"))[0].text == "answer 1"


def test_scores_are_asked_for_every_time(kept):
    """What is too large to keep is not kept."""
    engines = Engines()
    ask(kept(engines), Passage("a b"), Passage("a b"))
    assert engines.asked == 2


def test_the_name_covers_what_can_change_an_output(monkeypatch):
    """Another parameter, voice, environment or processor is another name; another thread count is the same."""
    monkeypatch.setattr(module, "_file_of", lambda value: None)
    plain = decisive(contender())
    assert decisive(contender(intra_op_threads=1)) == plain == decisive(contender("other name"))
    assert decisive(contender(speed=1.1)) != plain
    assert decisive(Contender("fair", KokoroParams(), {"OMP_DYNAMIC": "1"})) != plain
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert decisive(contender()) != plain
    monkeypatch.delenv("OMP_NUM_THREADS")
    monkeypatch.setattr(module.machine, "processor", lambda: ("another", ()))
    assert decisive(contender()) != plain


def test_what_cannot_be_seen_whole_is_not_kept():
    """Of another interpreter or an engine of another package not all can be seen that decides."""
    assert decisive(Contender("other", FakeParams())) is None
    assert decisive(Contender("other", KokoroParams(), python="/elsewhere/python")) is None


@pytest.mark.parametrize("file", ["engines/kokoro.py", "engines/native/ggml.hpp", "models/catalogue.py", "audio.py"])
def test_another_voiceperf_is_known_by_its_engines(tmp_path, file):
    """A revision whose engines are the same makes the same of an input; one line in them, and nobody knows."""
    other = tmp_path / "voiceperf"
    shutil.copytree(Path(module.__file__).parents[1], other, ignore=shutil.ignore_patterns("__pycache__"))
    then = Contender("then", KokoroParams(), {SOURCE_PATH: str(tmp_path)})
    assert decisive(then) == decisive(contender())
    with (other / file).open("a") as lines:
        lines.write("\n")
    engine_sources.cache_clear()
    assert decisive(then) != decisive(contender())


def test_another_model_file_of_the_same_name_is_another_name(tmp_path):
    """The user's own model is known by its content."""
    model = tmp_path / "model.onnx"
    names = set()
    for content in (b"one", b"two"):
        model.write_bytes(content)
        names.add(decisive(contender(model=str(model))))
    assert len(names) == 2


def test_quality_lets_nobody_go_first(kept):
    """An engine that is asked alone has the machine's attention, whatever it does beside others."""
    engines = Engines()
    ask(kept(engines), Line("hello"), who=Contender("fair", LlamaParams(nice=7)), on_disk=False)
    assert [one.params.nice for one in engines.started] == [0]
