"""Several machines search one study: here as processes of one machine, in a real PostgreSQL."""

import contextlib
import glob
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from voiceperf.tune.study import storage_at
from voiceperf.tune.trial import ALONE

pytestmark = [pytest.mark.models, pytest.mark.slow]

ENDED = (TrialState.COMPLETE, TrialState.PRUNED)
WAIT_S = 600


def program(name):
    """Where Debian puts it, or the PATH."""
    found = [*sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}")), shutil.which(name)][-1]
    if not found:
        pytest.skip(f"no {name} here (apt-get install postgresql)")
    return found


@pytest.fixture
def database():
    """The URL of an empty database, whose server ends with the test."""
    folder = Path(tempfile.mkdtemp(prefix="fleet-"))
    as_user = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(folder, pwd.getpwnam("postgres").pw_uid)
        as_user = ["runuser", "-u", "postgres", "--"]
    data = folder / "data"
    make = [*as_user, program("initdb"), "--pgdata", data, "--auth", "trust", "--username", "fleet"]
    subprocess.run(make, check=True, capture_output=True)
    listen = ["-k", folder, "-c", "listen_addresses="]
    url = f"postgresql://fleet@/postgres?host={folder}"
    with subprocess.Popen([*as_user, program("postgres"), "-D", data, *listen], stderr=subprocess.DEVNULL) as server:
        try:
            await_server(url)
            yield url
        finally:
            server.terminate()
    shutil.rmtree(folder)


def await_server(url):
    import psycopg

    end = time.monotonic() + 30
    while True:
        with contextlib.suppress(psycopg.OperationalError), psycopg.connect(url):
            return
        assert time.monotonic() < end
        time.sleep(0.1)


def trials(url):
    storage = storage_at(Path(), url)
    names = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=names[0], storage=storage).trials if names else []


def ended(url):
    """By the process that measured it, the trials that have come to an end."""
    by = {}
    for trial in trials(url):
        if trial.state in ENDED:
            by.setdefault(trial.user_attrs["by"][1], []).append(trial)
    return by


def test_one_of_two_is_killed_and_the_other_goes_on(database, tmp_path):
    """Two sessions take trials from one study, no change twice; what the killed one had ended is kept."""
    command = [f"{sys.prefix}/bin/voiceperf", "tune", "speaking", "--budget", "4m", "--database", database]

    def start(name):
        env = {**os.environ, "VOICEPERF_DATA": str(tmp_path / name)}
        return subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, cwd=tmp_path)

    first, second = start("first"), start("second")
    end = time.monotonic() + WAIT_S
    while first.pid not in ended(database):
        assert time.monotonic() < end
        assert (first.poll(), second.poll()) == (None, None)
        time.sleep(0.5)
    first.kill()
    first.wait()
    kept = {trial.number: trial.params for trial in ended(database)[first.pid]}
    _, said = second.communicate(timeout=WAIT_S)
    assert second.returncode == 0, said
    assert "in force on this machine" in said
    done = ended(database)
    assert {trial.number: trial.params for trial in done[first.pid]} == kept
    assert done[second.pid]
    alone = [trial for one in done.values() for trial in one if trial.user_attrs["stage"] == ALONE]
    assert len({tuple(sorted(trial.params.items())) for trial in alone}) == len(alone)
