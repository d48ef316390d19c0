"""A child that ends when whoever started it is gone, however that came about."""

from __future__ import annotations

import os
import signal
import sys
import threading


def end_with_parent() -> None:
    """Watch standard input, whose other end the parent holds: when it closes, this process is told to terminate."""
    descriptor = sys.stdin.fileno()

    def watch() -> None:
        while os.read(descriptor, 1024):  # not by `sys.stdin`, whose lock the interpreter wants when it ends
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()
