"""A user's own GGUF file in smaller types of weights: what `tune` tries instead of other people's models."""

import shutil
from pathlib import Path

import gguf
import pytest

from voiceperf.engines.llama import LlamaParams
from voiceperf.log import silent
from voiceperf.models.quantisations import quantisations
from voiceperf.models.store import locate
from voiceperf.tune.space import space_around

pytestmark = pytest.mark.models


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A file that no catalogue knows, and an empty cache."""
    path = shutil.copyfile(locate("smollm2-135m-instruct-q8_0"), tmp_path / "mine.gguf")
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "cache"))
    return path


def test_the_same_model_in_fewer_bits_is_made_once(mine):
    """Of an 8 bit file two of 4 bits, smaller and with as many tensors; the second time nothing is made."""
    made = quantisations(mine, silent)
    assert [path.name.split("-")[-1] for path in made] == ["q4_1.gguf", "q4_0.gguf"]
    assert all(path.stat().st_size < 0.75 * mine.stat().st_size for path in made)
    tensors = [len(gguf.GGUFReader(path).tensors) for path in (mine, *made)]
    assert len(set(tensors)) == 1

    def nothing(*what):
        raise AssertionError(what)

    assert quantisations(mine, nothing) == made


def test_the_tuner_tries_them_and_no_other_model(mine):
    """The space of who runs his own file has that file's quantisations; looking alone makes none."""
    start = LlamaParams(model=str(mine))
    assert "model" not in space_around(start).values
    own, *others = space_around(start, making=silent).values["model"]
    assert (own, len(others)) == (str(mine), 2)
    assert all(Path(other).name.startswith("mine-") for other in others)
    assert space_around(start).values["model"] == (own, *others)


def test_another_file_of_that_name_is_another_model(mine):
    """What was made of the file that lay there before is not taken for it."""
    quantisations(mine, silent)
    with mine.open("ab") as file:
        file.write(b"\0" * 32)
    assert quantisations(mine) == []


def test_what_llama_cpp_refuses_is_said_and_left_out(mine, tmp_path, capfd):
    """Of a file cut short nothing is made, nothing is left, and a line names it."""
    data = mine.read_bytes()
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(data[: len(data) // 2])
    assert quantisations(broken, silent) == []
    assert not list((tmp_path / "cache").rglob("*.gguf"))
    no_model = tmp_path / "none.gguf"
    no_model.write_bytes(b"no model at all")
    assert quantisations(no_model, silent) == []
