"""The command line: arguments in, calls to the library, results out as tables or JSON."""

from __future__ import annotations

import io
import os
import sys
from typing import NoReturn

from voiceperf.cli import (  # noqa: F401  # importing them registers their commands
    bench,
    calibrate,
    call,
    compare,
    doctor,
    engines,
    export,
    gate,
    history,
    models,
    parameters,
    profile,
    quality,
    replay,
    report,
    serve,
    settle,
    soak,
    tune,
)
from voiceperf.cli.app import app
from voiceperf.errors import InputError, VoicePerfError
from voiceperf.files import reason_of, refusal_of
from voiceperf.log import say


def main() -> None:
    """Run a command; whatever a file, a terminal or a system refuses ends it in one line with its exit code."""
    sys.stdout, sys.stderr = (stream or open(os.devnull, "w") for stream in (sys.stdout, sys.stderr))  # noqa: SIM115 - closed ones
    for stream in (sys.stdout, sys.stderr):  # a name in another encoding can be printed, escaped
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        app()
    except VoicePerfError as error:
        _end(str(error), error.exit_code)
    except KeyboardInterrupt:
        _end("interrupted", 130)
    except BrokenPipeError:  # whoever reads the results has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        _end(refusal_of(error), InputError.exit_code)
    except UnicodeError as error:
        _end(f"text in another encoding than UTF-8 ({reason_of(error)})", InputError.exit_code)


def _end(reason: str, exit_code: int) -> NoReturn:
    say(f"voiceperf: {' '.join(reason.split())}")
    sys.exit(exit_code)
