"""Which libraries an environment has, asked of its own interpreter."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable

from voiceperf.errors import InputError
from voiceperf.measure.contender import SOURCE_PATH

_ASK = """
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


def libraries_of(python: str, libraries: Iterable[str]) -> dict[str, str | None]:
    """The versions of the engines' libraries in another environment; None where one is not installed.

    Raises:
        InputError: there is no such interpreter, or it does not have voiceperf.
    """
    command = [python, "-P", "-c", _ASK, *libraries]
    bare = {name: value for name, value in os.environ.items() if name != SOURCE_PATH}
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, env=bare)
    except OSError as error:
        raise InputError(f"{python}: cannot be started ({error.strerror})") from None
    if told.returncode:
        last = (told.stderr.strip().splitlines() or ["without a word"])[-1]
        raise InputError(f"{python}: not a Python 3.11 or newer ({last})")
    versions: dict[str, str | None] = json.loads(told.stdout)
    if versions.get("voiceperf") is None:
        raise InputError(f"{python}: has no voiceperf; run: {python} -m pip install voiceperf")
    return versions
