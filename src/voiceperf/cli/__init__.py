"""The command line: arguments in, calls to the library, results out as tables or JSON."""

from voiceperf.cli.app import main

__all__ = ["main"]
