"""Services in processes of their own: started from a profile, and ended with whoever started them."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from voiceperf import profiles
from voiceperf.engines import ENGINES
from voiceperf.errors import ServiceError
from voiceperf.live.agent import Services
from voiceperf.live.params import ServiceParams
from voiceperf.measure.resources import Resources, resources_of
from voiceperf.profiles import Profile

_START_S = 120.0  # a cold disk; usually two or three seconds
_END_S = 10.0


class ServiceProcess:
    """`voiceperf serve` as a child on a free port. Use as a context manager.

    Raises (on entering):
        ServiceError: it did not come up; says what it last wrote.
    """

    def __init__(self, engine: str, profile: Path, port: int = 0) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process
        script = "from voiceperf.cli import main; main()"
        arguments = ["serve", engine, "--profile", str(profile), "--uri", f"tcp://127.0.0.1:{port}"]
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", script, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("VOICEPERF_LOG") else self._errors,
        )
        self.engine = engine
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
            raise ServiceError(f"the {self.engine} service did not start: {wrote[-1] if wrote else 'no word of it'}")
        return line.split()[1]

    def close(self) -> None:
        """End it, gently first."""
        self._process.terminate()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ServicesOfProfile:
    """The three services of one profile, which also says how they are talked to. Use as a context manager."""

    def __init__(self, profile: Profile) -> None:
        self._alive = ExitStack()
        with ExitStack() as starting:
            folder = Path(starting.enter_context(tempfile.TemporaryDirectory()))
            path = folder / f"{profile.name}.toml"
            profiles.save(profile, path)
            self.processes = [starting.enter_context(ServiceProcess(engine, path)) for engine in ENGINES]
            params = ServiceParams.parse(profile[ServiceParams.engine].values)
            hears, answers, speaks = (process.uri for process in self.processes)
            self.services = Services(hears, answers, speaks, params)
            self._alive = starting.pop_all()

    def resources(self) -> Resources:
        """What services and engines have used so far, together."""
        return resources_of(process.pid for process in self.processes)

    def close(self) -> None:
        """End them."""
        self._alive.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
