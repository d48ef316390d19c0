"""Which libraries an environment has, asked of its own interpreter."""

from __future__ import annotations

import json
import subprocess

from voiceperf.errors import InputError
from voiceperf.measure.fingerprint import LIBRARIES

_ASK = """
import importlib.metadata, json, sys
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
print(json.dumps({name: version(name) for name in sys.argv[1:]}))
"""


def libraries_of(python: str) -> dict[str, str | None]:
    """The versions of the engines' libraries in another environment; None where one is not installed.

    Raises:
        InputError: there is no such interpreter, or it does not have voiceperf.
    """
    try:
        told = subprocess.run([python, "-c", _ASK, *LIBRARIES], capture_output=True, text=True, check=True)
        versions: dict[str, str | None] = json.loads(told.stdout)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        raise InputError(f"{python}: not a Python interpreter that can be asked ({error})") from None
    if versions.get("voiceperf") is None:
        raise InputError(f"{python}: has no voiceperf; run: {python} -m pip install voiceperf")
    return versions
