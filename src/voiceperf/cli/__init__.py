"""The command line: arguments in, calls to the library, results out as tables or JSON."""

from __future__ import annotations

import sys

from voiceperf.cli import calibrate, compare, doctor, engines, history, models, quality, replay, serve, settle, tune  # noqa: F401  # importing them registers their commands
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
