import json
import os
import signal
import sys
from pathlib import Path

import pytest
from fake_engine import FakeParams

from voiceperf.engines.base import Line, Utterance
from voiceperf.errors import EngineError, ParameterError, StoppedError, WorkerError
from voiceperf.measure.clock import to_nobody
from voiceperf.measure.contender import Contender
from voiceperf.measure.process import Stopper, WorkerProcess


def contender(failure="", **changes):
    return Contender("test", FakeParams(failure=failure), **changes)


def test_worker_does_the_work_and_times_it():
    """Output and timing come back from the other process."""
    with WorkerProcess(contender()) as worker:
        timing, output = worker.once(Line("two words"))
    assert output.text.startswith("two words")
    assert timing.wall_ns > 0
    assert timing.tokens == 2
    assert timing.ttft_ms is not None


def test_failed_load_is_a_reason(one_line):
    """An engine that cannot be loaded says why."""
    with pytest.raises(EngineError) as caught:
        WorkerProcess(contender("load"))
    one_line(caught.value, "told not to load")


def test_failed_run_leaves_the_worker_alive():
    """A run that fails is an answer; the next request is served."""
    with WorkerProcess(contender("error")) as worker:
        for _ in range(2):
            with pytest.raises(EngineError, match="told to fail"):
                worker.once(Line("hi"))
        assert worker.alive


def test_native_crash_is_a_reason_with_its_signal(one_line):
    """A segmentation fault in the worker ends neither the session nor in silence."""
    with WorkerProcess(contender("crash")) as worker, pytest.raises(WorkerError) as caught:
        worker.once(Line("hi"))
    one_line(caught.value, "fake worker", "SIGSEGV")


def test_killed_worker_is_a_reason(one_line):
    """Kill -9 is reported by name."""
    with WorkerProcess(contender()) as worker:
        os.kill(worker.pid, signal.SIGKILL)
        with pytest.raises(WorkerError) as caught:
            worker.once(Line("hi"))
    one_line(caught.value, "SIGKILL")


def test_hang_is_stopped(one_line):
    """A run that does not end is stopped at its limit."""
    with WorkerProcess(contender("hang"), run_limit_s=0.5) as worker:
        with pytest.raises(WorkerError) as caught:
            worker.once(Line("hi"))
        one_line(caught.value, "did not answer within")
        assert worker._process.wait(timeout=5) == -signal.SIGKILL


def test_a_run_that_makes_no_part_is_stopped_from_outside():
    """What is stopped before it begins, or while it runs, ends by its engine's own stop; the worker lives on."""
    with WorkerProcess(contender("hang")) as worker:
        stopper = Stopper()
        stopper.stop()
        for _ in range(2):
            with pytest.raises(StoppedError):
                worker.stream(Line("hi"), to_nobody, stopper)
        assert worker.alive
        assert worker.resources().rss_bytes > 0


def test_native_chatter_does_not_break_the_conversation():
    """What native code prints to standard output is not taken for an answer."""
    with WorkerProcess(contender("chatter")) as worker:
        assert worker.once(Line("hi"))[1].text.startswith("hi")


def test_wrong_request_is_refused_by_name(one_line):
    """An engine names what it does not take, under the error's own class."""
    import numpy as np

    with WorkerProcess(contender()) as worker, pytest.raises(ParameterError) as caught:
        worker.once(Utterance(np.zeros(300, np.float32)))
    one_line(caught.value, "fake engine does not take a Utterance")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the worker's environment from /proc")
def test_environment_reaches_the_worker(tmp_path):
    """A contender's variables are set before its interpreter starts."""
    log = {"VOICEPERF_LOG": "json", "PYTHONSTARTUP": str(tmp_path)}
    with WorkerProcess(contender(env=log)) as worker:
        environment = Path(f"/proc/{worker.pid}/environ").read_text()
    assert "VOICEPERF_LOG=json" in environment


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads the worker's environment from /proc")
def test_what_the_user_preloads_and_tunes_is_kept(monkeypatch):
    """An engine's setting adds to the lists of the loader and of glibc: the user's come first, each once."""
    monkeypatch.setenv("LD_PRELOAD", "libm.so.6 libdl.so.2")
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.arena_max=2")
    monkeypatch.setattr(
        FakeParams,
        "environment",
        lambda params: {"LD_PRELOAD": "libm.so.6:libutil.so.1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
    )
    with WorkerProcess(contender()) as worker:
        environment = Path(f"/proc/{worker.pid}/environ").read_text().replace("\0", ":")  # as glibc cuts its own
    assert "LD_PRELOAD=libm.so.6:libdl.so.2:libutil.so.1" in environment
    assert "GLIBC_TUNABLES=glibc.malloc.arena_max=2:glibc.malloc.hugetlb=1" in environment


def test_runs_are_logged_when_asked(monkeypatch, capfd):
    """With VOICEPERF_LOG=json each run is one structured line on the session's stderr."""
    monkeypatch.setenv("VOICEPERF_LOG", "json")
    with WorkerProcess(contender()) as worker:
        worker.once(Line("two words"))
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [(line["event"], line["engine"], line["tokens"]) for line in lines] == [("run", "fake", 2)]


def test_missing_interpreter_is_a_reason(one_line):
    """A contender whose interpreter does not exist says so."""
    with pytest.raises(WorkerError) as caught:
        WorkerProcess(contender(python="/nowhere/python"))
    one_line(caught.value, "/nowhere/python")


def test_interpreter_without_voiceperf_is_a_reason(one_line, tmp_path):
    """Another environment that lacks voiceperf is reported with what it wrote last."""
    stub = tmp_path / "python"
    stub.write_text("#!/bin/sh\necho 'No module named voiceperf' >&2\nexit 1\n")
    stub.chmod(0o755)
    with pytest.raises(WorkerError) as caught:
        WorkerProcess(contender(python=str(stub)))
    one_line(caught.value, "exit code 1", "No module named voiceperf")


def test_resources_are_told():
    """A worker tells its memory and processor time."""
    with WorkerProcess(contender()) as worker:
        used = worker.resources()
    assert used.peak_rss_bytes >= used.rss_bytes > 1e6
    assert used.cpu_s > 0


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_what_ends_a_group_leaves_the_end_to_the_parent(ending):
    """Ctrl-C and systemd's stop reach the worker too: it goes on until its parent has its answer."""
    with WorkerProcess(contender()) as worker:
        os.kill(worker.pid, ending)
        _, output = worker.once(Line("still here"))
        assert output.text.startswith("still here")


def test_a_worker_that_hung_is_not_taken_for_alive():
    """Stopped for its silence, it is gone by the time that the reason is told."""
    with WorkerProcess(contender("hang"), run_limit_s=0.2) as worker:
        with pytest.raises(WorkerError, match="did not answer"):
            worker.once(Line("hi"))
        assert not worker.alive
