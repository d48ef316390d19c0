"""Kokoro's voices: one file, one of an archive, a blend; and what is none."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voiceperf.engines.kokoro_params import KokoroParams
from voiceperf.engines.kokoro_voice import SHAPE, as_code, load_voice, parts_of
from voiceperf.errors import EngineError, ModelError, ParameterError
from voiceperf.places import fixtures_dir

HEART, EMMA = (str(fixtures_dir() / "voices" / f"{name}.bin") for name in ("af_heart", "bf_emma"))


@pytest.fixture
def archive(tmp_path):
    """As kokoro-onnx has its voices: an archive of NumPy's, whatever its name ends with."""
    path = tmp_path / "voices-v1.0.bin"
    with path.open("wb") as file:
        np.savez(file, am_adam=load_voice(HEART), if_sara=load_voice(EMMA))
    return path


def test_shipped_voices_are_whole():
    """The fixtures hold two English voices of Kokoro's shape."""
    assert all(load_voice(voice).shape == SHAPE for voice in (HEART, EMMA))


def test_a_voice_of_an_archive_is_named_behind_a_hash(archive):
    """It is the archive's own, to the last bit."""
    assert np.array_equal(load_voice(f"{archive}#if_sara"), load_voice(EMMA))


def test_an_archive_of_one_voice_needs_no_name(tmp_path):
    """There is only one to take."""
    np.savez(tmp_path / "one.npz", mine=load_voice(HEART))
    assert np.array_equal(load_voice(str(tmp_path / "one.npz")), load_voice(HEART))


def test_a_blend_is_the_weighted_mean(archive):
    """Shares need not add up to 1, and parts may come from anywhere."""
    blended = load_voice(f"{HEART}:7+{archive}#if_sara:3")
    assert np.allclose(blended, 0.7 * load_voice(HEART) + 0.3 * load_voice(EMMA), atol=1e-6)


@given(st.floats(0.01, 100), st.floats(0.01, 100))
def test_shares_add_up_to_one(first, second):
    """Whatever is written."""
    assert sum(part.weight for part in parts_of(f"a:{first}+b:{second}")) == pytest.approx(1)


def test_a_file_whose_name_looks_like_a_blend_is_a_file(tmp_path):
    """What is there under the whole name counts first."""
    path = tmp_path / "a:0.5+b.bin"
    load_voice(EMMA).tofile(path)
    assert np.array_equal(load_voice(str(path)), load_voice(EMMA))


@pytest.mark.parametrize(
    ("voice", "said"),
    [
        (f"{HEART}:0+{EMMA}:1", "the share '0' must be a number above 0"),
        (f"{HEART}:x+{EMMA}:1", "the share 'x' must be a number above 0"),
        (f"{HEART}:inf", "the share 'inf' must be a number above 0"),
        (f"{HEART}#adam", "holds a single voice"),
        ("ARCHIVE#nobody", "it holds am_adam, if_sara; name one"),
        ("ARCHIVE", "it holds am_adam, if_sara; name one"),
    ],
)
def test_a_voice_that_cannot_be_meant_is_named(archive, voice, said, one_line):
    """One line with what is wrong and what there is."""
    with pytest.raises(ParameterError) as caught:
        load_voice(voice.replace("ARCHIVE", str(archive)))
    one_line(caught.value, said)


def test_a_file_that_is_no_voice_is_named(tmp_path, one_line):
    """Of another size, or an archive of something else: one line with the path; one that is missing, likewise."""
    np.zeros(10, np.float32).tofile(tmp_path / "v.bin")
    np.savez(tmp_path / "v.npz", one=np.zeros(3))
    for name in ("v.bin", "v.npz"):
        with pytest.raises(EngineError) as caught:
            load_voice(str(tmp_path / name))
        one_line(caught.value, name.replace(".", r"\."), "not a Kokoro voice")
    with pytest.raises(ModelError):
        load_voice(f"{HEART}+gone.bin")


def test_what_a_blend_is_made_of_decides_what_is_kept(archive):
    """Each file of it is one of the engine's, so that another one under the same name is another voice."""
    files = KokoroParams(voice=f"{HEART}:0.5+{archive}#if_sara:0.5").files()
    assert {HEART, str(archive)} <= set(files)


@pytest.mark.parametrize("voice", ["HEART", "HEART:7+ARCHIVE#if_sara:3", "ONE"])
def test_the_code_reads_the_same_voice(archive, tmp_path, voice):
    """What export prints needs NumPy alone, also for the only voice of an archive, which has no name here."""
    np.savez(tmp_path / "one.npz", mine=load_voice(EMMA))
    voice = voice.replace("HEART", HEART).replace("ARCHIVE", str(archive)).replace("ONE", str(tmp_path / "one.npz"))
    found = eval(as_code(voice), {"np": np})
    assert np.allclose(found, load_voice(voice), atol=1e-6)
