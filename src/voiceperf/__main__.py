"""`python -m voiceperf` is `voiceperf`."""

from voiceperf.cli import main

main()
