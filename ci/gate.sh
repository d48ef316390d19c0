#!/usr/bin/env bash
# The regression gate, for any CI and for a terminal: is this checkout slower or worse than what it came from?
#
#   ci/gate.sh                         beside where this branch left main; on main, beside the last commit before this
#   ci/gate.sh REVISION [OPTION...]    beside another revision, with options of `voiceperf gate`
#
# Both run on this machine in the same minutes; nothing has to be saved, accepted or calibrated before.
# Exit 0: no slower, no worse. 10: slower or worse. 11: cannot be told. 12: something was not measured.
# make turns every failure into its own 2; so the code also stands in build/gate/exit-code, the words in report.md.
set -uo pipefail
cd "$(dirname "$0")/.."

out=build/gate
mkdir -p "$out"
rm -f "$out/report.md" "$out/exit-code"

make --no-print-directory models >&2 || exit 1

.venv/bin/voiceperf gate --markdown "$out/report.md" "$@"
code=$?
[ -e "$out/report.md" ] || echo "### voiceperf: nothing was judged (exit $code), the log says why" >"$out/report.md"

echo "$code" >"$out/exit-code"
echo "voiceperf gate: exit $code, see $out/report.md" >&2
exit "$code"
