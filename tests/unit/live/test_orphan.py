"""A child of somebody who is gone."""

import signal
import subprocess
import sys

SCRIPT = "import signal; from voiceperf.live.orphan import end_with_parent; end_with_parent(); signal.pause()"


def test_a_child_ends_when_its_parent_is_gone():
    """However the parent ended, its end of the pipe is closed by the system, and the child is told to terminate."""
    child = subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE)
    child.stdin.close()
    assert child.wait(30) == -signal.SIGTERM
