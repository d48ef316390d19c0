#!/usr/bin/env bash
# The browser that the report is tested in. Installs Debian's where that can be done without asking; else says how.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  echo "voiceperf set-up: installing Chromium, for the tests of the report" >&2
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } ||
    echo "voiceperf set-up: Chromium could not be installed: tests of the report are skipped" >&2
else
  echo "voiceperf set-up: no Chromium: tests of the report are skipped (apt-get install chromium)" >&2
fi
