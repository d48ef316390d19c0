import pytest
from fake_engine import FakeParams

from voiceperf.measure import fingerprint as fp
from voiceperf.measure.contender import Contender


@pytest.fixture(autouse=True)
def fixed_machine(monkeypatch):
    monkeypatch.setattr(fp.machine, "processor", lambda: ("Test CPU", ("avx2", "sse")))


def test_fingerprint_is_stable():
    """The same machine and libraries give the same id."""
    assert fp.fingerprint([]) == fp.fingerprint([Contender("a", FakeParams())])


def test_new_library_changes_the_fingerprint(monkeypatch):
    """An upgrade is another fingerprint."""
    before = fp.fingerprint([])["id"]
    monkeypatch.setattr(fp, "installed_version", lambda name: "99")
    assert fp.fingerprint([])["id"] != before
