"""The command line: arguments in, calls to the library, results out as tables or JSON."""

from __future__ import annotations

import sys

from voiceperf.cli import (  # noqa: F401  # importing them registers their commands
    calibrate,
    call,
    compare,
    doctor,
    engines,
    history,
    models,
    parameters,
    quality,
    replay,
    report,
    serve,
    settle,
    tune,
)
from voiceperf.cli.app import app, say
from voiceperf.errors import VoicePerfError


def main() -> None:
    """Run a command; an error of ours ends it in one line with its exit code."""
    try:
        app()
    except VoicePerfError as error:
        say(f"voiceperf: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        say("voiceperf: interrupted")
        sys.exit(130)
