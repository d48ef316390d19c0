#!/usr/bin/env bash
# Sets up .venv from nothing, once: `make bench` and `make test` call this. Safe to run again; it then does nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

stamp=.venv/.ready-$(cat requirements.lock requirements-llama.lock ci/setup.sh pyproject.toml | cksum | tr ' ' -)
[ -e "$stamp" ] && exit 0

say() { printf 'voiceperf set-up: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' 2>/dev/null ||
  fail "needs Python 3.11.4 or newer; set PYTHON=/path/to/python3.11"
command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 ||
  fail "needs a C++ compiler to build llama.cpp: apt-get install g++ (Debian), xcode-select --install (macOS)"

say "making .venv"
"$python" -m venv .venv
pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)

say "installing the locked packages"
"${pip[@]}" install --require-hashes --no-deps -r requirements.lock

# llama-cpp-python comes as source. Built for this very processor, the wheel is kept for the next .venv.
version=$(sed -n 's/^llama-cpp-python==\([^ ]*\).*/\1/p' requirements-llama.lock)
processor=$( (grep -m 2 -E '^(model name|flags)' /proc/cpuinfo 2>/dev/null || sysctl -n machdep.cpu.brand_string) | cksum | cut -d ' ' -f 1)
abi=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_platform())')
cache=${VOICEPERF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/voiceperf}/wheels/llama-$version-$abi-$processor
if ! ls "$cache"/*.whl >/dev/null 2>&1; then
  say "building llama.cpp for this processor (about two minutes on two cores, once)"
  mkdir -p "$cache.part"
  log="$cache.part/build.log"
  export CMAKE_GENERATOR=Ninja
  export CMAKE_ARGS="${CMAKE_ARGS:-} -DLLAVA_BUILD=OFF -DLLAMA_ALL_WARNINGS=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE=$PWD/ci/llama_library_only.cmake"
  if ! .venv/bin/python -m pip wheel --disable-pip-version-check --verbose --no-deps --no-cache-dir --require-hashes \
    --wheel-dir "$cache.part" -r requirements-llama.lock >"$log" 2>&1; then
    grep -iE 'error' "$log" | tail -n 5 >&2 || true
    fail "llama.cpp did not build; the whole log is in $log"
  fi
  rm -rf "$cache"
  mv "$cache.part" "$cache"
fi
"${pip[@]}" install --no-deps --force-reinstall "$cache"/*.whl

"${pip[@]}" install --no-deps --editable .
touch "$stamp"
say "ready"
