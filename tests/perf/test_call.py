"""Call 61 replayed, by the suite that the package brings along."""

from voiceperf.pytest_plugin.whole_suite import *  # noqa: F403
