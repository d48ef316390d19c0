import shutil

import pytest
from tests.unit.pytest_plugin.sessions import EXIT, QUIET, SUITE, Numbers, accept, calibrate

from voiceperf.judge.verdict import Verdict
from voiceperf.pytest_plugin import gate
from voiceperf.pytest_plugin import session as plugin


@pytest.fixture
def session(pytester, request, monkeypatch):
    """Run the suite of numbers in an empty project, with slowdown, noise or quality planted."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)  # the session within measures, whoever runs this one
    fixtures = request.config.rootpath / "fixtures"
    pytester.makeini(f"[pytest]\naddopts = -p no:cacheprovider\nvoiceperf_call = {fixtures}/calls/call61.toml\n"
                     f"voiceperf_manifest = {fixtures}/audio/manifest.jsonl\n"
                     f"voiceperf_conversations = {fixtures}/text/conversations.toml\n")  # fmt: skip
    pytester.makepyfile(test_suite=SUITE)
    monkeypatch.setattr(plugin, "fingerprint", lambda contenders: {"id": "f1", "machine_id": "m1"})
    monkeypatch.setattr(gate, "machine_id", lambda: "m1")

    def run(*arguments, slowdown=1.0, spread=0.01, quality=Verdict.PASS):
        planted = {"slowdown": slowdown, "spread": spread, "quality": quality}
        monkeypatch.setattr(plugin, "Suite", type("Planted", (Numbers,), planted))
        return pytester.runpytest_inprocess("--benchmark-columns=median", *arguments)

    run.path, run.call = pytester.path, fixtures / "calls" / "call61.toml"
    run.runs = lambda: sorted((pytester.path / ".benchmarks").glob("*/0*.json"))
    return run


@pytest.fixture(scope="module")
def first_run(tmp_path_factory):
    """Where the first test leaves its accepted run and calibration for the others to begin with."""
    return tmp_path_factory.mktemp("accepted") / ".benchmarks"


@pytest.fixture
def accepted(session, monkeypatch, first_run):
    """A project with an accepted run and a calibrated machine."""
    own = session.path / ".benchmarks"
    if first_run.exists():
        shutil.copytree(first_run, own)
        return session
    assert session("--benchmark-autosave").ret == EXIT.good
    accept(monkeypatch, "0001")
    calibrate(session, QUIET)
    shutil.copytree(own, first_run)
    return session
