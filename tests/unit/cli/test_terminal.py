"""The commands on terminals of all kinds: wide, dumb, without colour, and none at all."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

STORAGE = Path(__file__).parents[3] / ".benchmarks"
COMMANDS = (("history", "--storage", STORAGE), ("doctor",), ("parameters", "llama"), ("models", "list"))
COLOUR = re.compile(r"\x1b\[[0-9;]*3[0-7]m|\x1b\[38")
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def terminal(tmp_path):
    """Run a command on a terminal 200 columns wide; what stood on it."""

    def run(*arguments, **variables):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        places = {"VOICEPERF_CACHE": str(tmp_path), "VOICEPERF_DATA": str(tmp_path)}
        inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR", "CI")}
        command = [sys.executable, "-c", "from voiceperf.cli import main; main()", *map(str, arguments)]
        environment = {**inherited, "TERM": "xterm-256color", **places, **variables}
        process = subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # so a terminal ends on Linux
                break
            if not part:
                break
            seen += part
        os.close(ours)
        assert process.wait() == 0
        return seen.decode()

    return run


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_nothing_is_wider_than_a_page(terminal, command):
    """On a terminal of 200 columns lines end at 100."""
    lines = ESCAPE.sub("", terminal(*command)).splitlines()
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("variables", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_colour_where_none_is_wanted(terminal, variables):
    """NO_COLOR and a dumb terminal are respected; where neither is, there is colour to be left out."""
    assert not COLOUR.search(terminal("doctor", "--help", **variables))
    assert COLOUR.search(terminal("doctor", "--help"))
