import numpy as np
import pytest

from voiceperf.engines.kokoro import KokoroParams, load_voice, refuse_unsupported, split_first_clause
from voiceperf.errors import EngineError, ParameterError
from voiceperf.places import fixtures_dir


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Yes.", ["Yes."]),
        ("All right. And how many?", ["All right.", "And how many?"]),
        ("Well, at eight. Or nine?", ["Well,", "at eight. Or nine?"]),
        ("  no end ", ["no end"]),
    ],
)
def test_first_clause_ends_at_the_first_mark(text, parts):
    """A text splits once, at its first punctuation mark, and loses no word."""
    assert split_first_clause(text) == parts


def test_provider_that_is_not_installed_is_refused(one_line):
    """A missing execution provider is answered with those there are."""
    with pytest.raises(ParameterError) as caught:
        refuse_unsupported(KokoroParams(providers=("NoSuchProvider",)))
    one_line(caught.value, "NoSuchProvider", "CPUExecutionProvider")


@pytest.mark.parametrize("voice", ["af_heart", "bf_emma"])
def test_shipped_voices_are_whole(voice):
    """The fixtures hold two English voices of Kokoro's shape."""
    assert load_voice(fixtures_dir() / "voices" / f"{voice}.bin").shape == (510, 1, 256)


def test_file_that_is_no_voice_is_named(tmp_path, one_line):
    """A file of another size is refused by its path."""
    np.zeros(10, np.float32).tofile(tmp_path / "v.bin")
    with pytest.raises(EngineError) as caught:
        load_voice(tmp_path / "v.bin")
    one_line(caught.value, r"v\.bin", "not a Kokoro voice")
