"""The page of a run: whole, safe, and asking nothing of the network."""

import base64
import json
import re
from html.parser import HTMLParser

import pytest

from voiceperf.engines.llama import LlamaParams
from voiceperf.history.trend import workload_trends
from voiceperf.report.html import page
from voiceperf.report.story import story_of
from voiceperf.report.tuning_plot import Panel
from voiceperf.tune.space import Space
from voiceperf.tune.trial import ALONE, Importance, Trial


class Seen(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.links = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "data", "action"):
                self.links.append(value)


@pytest.fixture
def made(run, storage, document):
    def make():
        found = run()
        return page(story_of(found), workload_trends([found], found), [], storage, json.dumps(document).encode())

    return make


def test_the_page_fetches_nothing(made):
    """Every link is within the page or in its own bytes."""
    links = Seen(made()).links
    assert links
    assert [link for link in links if not link.startswith(("#", "data:"))] == []
    assert "@import" not in made()


def test_every_id_is_there_once(made):
    """The pictures' parts do not take each other's names."""
    ids = Seen(made()).ids
    assert len(ids) == len(set(ids))


def test_a_run_with_hostile_names_shows_them_as_text(document, made):
    """What stands in a run is text, never markup."""
    evil = "<script>alert(1)</script>"
    document["voiceperf"]["criteria"][0]["reason"] = document["voiceperf"]["candidate"] = evil
    document["voiceperf"]["examples"]["whisper"]["wav/a.wav"]["by_profile"][evil] = {"text": evil}
    document["machine_info"]["voiceperf"]["cpu"] = evil
    for row in document["voiceperf"]["criteria"]:
        row["baseline"] = row["baseline"].replace("fair", f'x">{evil}\\1')
    for one in document["benchmarks"]:
        for name, value in one["extra_info"].items():
            if value == "fair":
                one["extra_info"][name] = f'x">{evil}\\1'
    assert "script" not in Seen(made()).tags


def test_the_words_of_a_picture_are_words(made):
    """They can be selected, searched, and read aloud."""
    assert ">turn 1</text>" in made()


def test_a_model_that_is_no_worse_has_used_nothing_of_what_may_be_lost(document, made):
    """A perplexity ratio of 1 is no loss, though its bar is 1.01."""
    check = {"what": "perplexity ratio", "value": 1.0, "bar": 1.01}
    title = "llama: time of a 32-token reply"
    document["voiceperf"]["criteria"].append(
        document["voiceperf"]["criteria"][0] | {"criterion": title, "checks": [check]}
    )
    assert '<meter min="0" max="1" high="0.999" optimum="0" value="0.0"' in made().split("perplexity ratio")[1][:900]


def test_the_whole_run_can_be_taken_from_the_page(document, made):
    """The raw samples are there, byte for byte."""
    (packed,) = re.findall(r'href="data:application/json;base64,([^"]+)"', made())
    assert json.loads(base64.b64decode(packed)) == document


def test_every_pair_stands_in_a_table(made):
    """A figure's samples can be read without hovering."""
    text = made()
    assert text.count('<td class="number" data-label="seed">401.0</td>') == 5


def test_pointing_at_a_pair_tells_it(made):
    """Each dot of a picture says which pair it is, and by how much it differs."""
    assert "<title>turn 1, pair 1: 401 ms -&gt; 100 ms, -75.1%</title>" in made()


def test_both_voices_can_be_heard(made):
    """The kept sounds of both settings are in the page, and their words beside them."""
    text = made()
    assert text.count("<audio ") == 2
    assert 'aria-label="turn 1, shipped"' in text


def test_a_sound_that_was_not_kept_is_said_to_be_missing(made, storage):
    """Without its file a reply still has its words."""
    for path in (storage / "sounds").iterdir():
        path.unlink()
    text = made()
    assert "<audio " not in text
    assert "not kept" in text


def test_words_that_are_heard_otherwise_are_marked(made):
    """What was said stands beside what was heard instead."""
    assert "<del>ann</del> <ins>dan</ins>" in made()


def test_hearing_is_told_by_kind(made, document):
    """The rate of each kind of recording stands there for both settings; a run that kept no kinds has no such table."""
    assert '<td class="number" data-label="shipped">25.0%</td>' in made()
    for entry in document["voiceperf"]["examples"]["whisper"].values():
        del entry["kind"]
    assert "Word error rates by kind" not in made()


def test_tuning_is_drawn_three_ways(run, storage):
    """Of each engine that was tuned here: speed against quality, each change alone, and what mattered."""
    space = Space(LlamaParams(), {"flash_attn": (False, True)}, {})
    trial = Trial(0, ALONE, {"flash_attn": True}, 0.8, 0.7, 0.9, False, "PASS", 0.1, "fine")
    panel = Panel(space, [trial], trial, Importance({"flash_attn": 1.0}, "by what each saves alone"))
    text = page(story_of(run()), [], [panel], storage, b"{}")
    for label in ("time against quality lost", "the time that each change alone leaves", "how much each parameter"):
        assert f'aria-label="llama: {label}' in text
    assert "flash_attn = True: 0.80 [0.70, 0.90]" in text


def test_an_old_run_says_what_it_lacks(document, made):
    """A run from before stages, examples and checks is shown without them."""
    for name in ("stages_ms", "examples"):
        del document["voiceperf"][name]
    for row in document["voiceperf"]["criteria"]:
        del row["checks"]
    text = made()
    assert text.count("save one with this version") == 3
    assert "What got faster" in text
