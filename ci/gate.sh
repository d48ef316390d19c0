#!/usr/bin/env bash
# The regression gate, for any CI and for a terminal:
#
#   ci/gate.sh                        this checkout against the run that is accepted for this machine
#   ci/gate.sh REVISION [ENGINE...]   this checkout beside another revision, in pairs; needs no accepted run
#
# Exit 0: no slower, no worse. 10: slower or worse. 11: cannot be told. 12: something was not measured.
# make turns every failure into its own 2; so the code also stands in build/gate/exit-code, the words in report.md.
set -uo pipefail
cd "$(dirname "$0")/.."

out=build/gate
mkdir -p "$out"
rm -f "$out/report.md" "$out/exit-code"

make --no-print-directory models >&2 || exit 1

if [ $# -gt 0 ]; then
  revision=$1
  shift
  .venv/bin/voiceperf compare --baseline-rev "$revision" --markdown "$out/report.md" "$@"
  code=$?
else
  .venv/bin/python -m pytest tests/perf --voiceperf-gate --voiceperf-markdown "$out/report.md" --benchmark-autosave
  code=$?
fi
[ -e "$out/report.md" ] || echo "### voiceperf: nothing was judged (exit $code), the log says why" >"$out/report.md"
.venv/bin/voiceperf history --markdown >>"$out/report.md"

echo "$code" >"$out/exit-code"
echo "voiceperf gate: exit $code, see $out/report.md" >&2
exit "$code"
