#!/usr/bin/env bash
# pytest-benchmark's own tests, in an environment without voiceperf and in one that has it: the same results?
#   own_suite_of_pytest_benchmark.sh PYTHON VERSION FOLDER
# Its tests come with its source distribution, which is fetched into FOLDER; nothing of it is kept here.
set -euo pipefail
python=$1 version=$2 folder=$3
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$folder"
cd "$folder"

"$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: "pytest-benchmark==$version" -d .
tar xzf "pytest_benchmark-$version.tar.gz"
"$python" -m venv environment
pip=(environment/bin/python -m pip --quiet --disable-pip-version-check)
# without pytest-randomly: the sessions that its tests start would be in random order, and end otherwise each time
"${pip[@]}" install "pytest-benchmark[aspect,elasticsearch,histogram]==$version" freezegun nbmake pytest-xdist

run() { # NAME: which tests ended how, in the order of their names
  (cd "pytest_benchmark-$version" &&
    COLUMNS=80 PYTHONPATH=$PWD/tests ../environment/bin/python -m pytest -p no:cacheprovider -vv --ignore=src \
      -o addopts= --import-mode=prepend tests >"../$1.log" 2>&1) || true
  sed -nE 's/^(tests\/[^ ]+) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS).*/\1 \2/p' "$1.log" | sort >"$1.txt"
  [ -s "$1.txt" ] || { tail -n 20 "$1.log" >&2; exit 1; }
}

run without
"${pip[@]}" install --no-deps "$root" # the plugin imports nothing but pytest, so it needs nothing else here
run with
diff without.txt with.txt >difference.txt && echo "$(wc -l <with.txt) tests, the same results with voiceperf and without"
