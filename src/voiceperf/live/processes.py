"""Services in processes of their own: started from a profile, and ended with whoever started them."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self

from voiceperf import profiles
from voiceperf.errors import ServiceError
from voiceperf.live.params import ServiceParams
from voiceperf.live.services import Services
from voiceperf.measure.resources import Resources, resources_of
from voiceperf.measure.together import closed, started
from voiceperf.profiles import Profile
from voiceperf.roles import ROLES

_START_S = 120.0  # a cold disk; usually two or three seconds
_END_S = 10.0
_NOTHING: Mapping[str, str] = MappingProxyType({})


class ServiceProcess:
    """`voiceperf serve` as a child on a free port. Use as a context manager.

    Raises (on entering):
        ServiceError: it did not come up; says what it last wrote.
    """

    def __init__(
        self, role: str, profile: Path, port: int = 0, python: str = sys.executable, env: Mapping[str, str] = _NOTHING
    ) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        script = "from voiceperf.live.orphan import end_with_parent; end_with_parent()\n"
        script += "from voiceperf.cli import main; main()"
        arguments = ["serve", role, "--profile", str(profile), "--uri", f"tcp://127.0.0.1:{port}"]
        self._process = subprocess.Popen(
            [python, "-P", "-c", script, *arguments],
            env={**os.environ, **env},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("VOICEPERF_LOG") else self._errors,
        )
        self.role = role
        try:
            self.uri = self._ready()
        except ServiceError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def _ready(self) -> str:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            came = selector.select(_START_S)
        line = self._process.stdout.readline().decode() if came else ""
        if not line.startswith("ready "):
            self._process.kill()
            self._process.wait()
            self._errors.seek(0)
            wrote = self._errors.read().decode(errors="replace").strip().splitlines()
            raise ServiceError(f"the {self.role} service did not start: {wrote[-1] if wrote else 'no word of it'}")
        return line.split()[1]

    def close(self) -> None:
        """End it, gently first."""
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pipe in filter(None, (self._process.stdin, self._process.stdout)):
            pipe.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ServicesOfProfile:
    """The three services of one profile, which also says how they are talked to. Use as a context manager.

    Args:
        profile: whose.
        python: the interpreter that runs them.
        env: what their environment has beside this process's own.
    """

    def __init__(self, profile: Profile, python: str = sys.executable, env: Mapping[str, str] = _NOTHING) -> None:
        self._start = partial(_started, python=python, env=env)
        self._params = ServiceParams.parse(profile[ServiceParams.engine].values)
        self._processes = started({role: partial(self._start, role, profile) for role in ROLES})

    @property
    def services(self) -> Services:
        return self._with({})

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes.values()]

    @contextmanager
    def with_one_changed(self, role: str, profile: Profile) -> Iterator[Services]:
        """These services, but one role's, which is started beside them as another profile has it."""
        with self._start(role, profile) as other:
            yield self._with({role: other})

    def _with(self, others: Mapping[str, ServiceProcess]) -> Services:
        hears, answers, speaks = ({**self._processes, **others}[role].uri for role in ROLES)
        return Services(hears, answers, speaks, self._params)

    def change(self, role: str, profile: Profile) -> None:
        """Start one role's service anew, as another profile has it."""
        before, self._processes[role] = self._processes[role], self._start(role, profile)
        before.close()

    def resources(self) -> Resources:
        """What services and engines have used so far, together."""
        return resources_of(self.pids)

    def close(self) -> None:
        """End them."""
        closed(self._processes.values())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _started(role: str, profile: Profile, python: str, env: Mapping[str, str]) -> ServiceProcess:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{profile.name}.toml"
        profiles.save(profile, path)
        return ServiceProcess(role, path, python=python, env=env)
