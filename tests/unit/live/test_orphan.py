"""A child of somebody who is gone."""

import signal
import subprocess
import sys

BEGIN = "import signal; from voiceperf.live.orphan import end_with_parent; end_with_parent(); "
SCRIPT = BEGIN + "signal.pause()"


def test_a_child_ends_when_its_parent_is_gone():
    """However the parent ended, its end of the pipe is closed by the system, and the child is told to terminate."""
    child = subprocess.Popen([sys.executable, "-c", SCRIPT], stdin=subprocess.PIPE)
    child.stdin.close()
    assert child.wait(30) == -signal.SIGTERM


def test_a_child_that_ends_by_itself_ends_well():
    """While its parent still holds the pipe, the watch does not keep the interpreter from ending."""
    with subprocess.Popen([sys.executable, "-c", BEGIN], stdin=subprocess.PIPE) as child:
        assert child.wait(30) == 0
