#!/usr/bin/env bash
# Sets up .venv from nothing, once: `make bench` and `make test` call this. Safe to run again; it then does nothing.
# VOICEPERF_GPU=cuda builds whisper.cpp and llama.cpp for NVIDIA's GPUs, and later runs keep that; VOICEPERF_GPU= ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'voiceperf set-up: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

gpu=${VOICEPERF_GPU-$(cat .venv/.gpu 2>/dev/null || true)}
[ -z "$gpu" ] || [ "$gpu" = cuda ] || fail "VOICEPERF_GPU=$gpu: no such choice; it is cuda, or empty"
stamp=.venv/.ready-$gpu$(cat requirements*.lock ci/setup.sh ci/llama_library_only.cmake pyproject.toml | cksum | tr ' ' -)
[ -e "$stamp" ] && exit 0

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11, 4))' 2>/dev/null ||
  fail "needs Python 3.11.4 or newer; set PYTHON=/path/to/python3.11"
command -v "${CXX:-c++}" >/dev/null 2>&1 || command -v g++ >/dev/null 2>&1 ||
  fail "needs a C++ compiler to build llama.cpp and whisper.cpp: apt-get install g++ (Debian), xcode-select --install (macOS)"
need_nvcc() {
  command -v nvcc >/dev/null 2>&1 ||
    fail "VOICEPERF_GPU=cuda needs CUDA's compiler: install the CUDA toolkit, and put its bin folder (nvcc) on the PATH"
}
[ -z "$gpu" ] || [ -e .venv/.gpu ] || need_nvcc

say "making .venv"
"$python" -m venv .venv
rm -f .venv/.ready-*  # of another lock file: what it stood for is being changed
pip=(.venv/bin/python -m pip --disable-pip-version-check --quiet)

say "installing the locked packages"
"${pip[@]}" install --require-hashes --no-deps -r requirements.lock
if [ -n "$gpu" ]; then
  "${pip[@]}" install --require-hashes --no-deps -r requirements-cuda.lock
else
  "${pip[@]}" uninstall --yes nvidia-ml-py 2>/dev/null  # else the fingerprint would have GPUs that nothing is built for
fi

# The engines' libraries are built for this very processor; their wheels are kept for the next .venv.
processor=$( (grep -m 2 -E '^(model name|flags)' /proc/cpuinfo 2>/dev/null || sysctl -n machdep.cpu.brand_string) | cksum | cut -d ' ' -f 1)
abi=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_platform())')
recipe=$(cat ci/setup.sh ci/llama_library_only.cmake | cksum | cut -d ' ' -f 1)
# ... and for the GPU at hand
[ -z "$gpu" ] || recipe=$recipe-$gpu$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader 2>/dev/null | sort -u | tr -d '\n')
wheels=${VOICEPERF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/voiceperf}/wheels
# Two of ggml's ways that are none. AMX: GCC drops its stores to the tile configuration, and the first product crashes
# (llama.cpp's issues 20824 and 26954). AVX512-FP16: it takes 128 numbers at a time, which heads of 64 never have, so attention
# goes one by one.
ways="-U__AMX_INT8__ -U__AVX512FP16__"
export CFLAGS="${CFLAGS:-} $ways" CXXFLAGS="${CXXFLAGS:-} $ways"

# native PACKAGE MINUTES [VARIABLE=VALUE...]: install it, built with these in the environment
native() {
  local package=$1 minutes=$2 version cache log
  shift 2
  version=$(sed -n "s/^$package==\([^ ]*\).*/\1/p" requirements-native.lock)
  cache=$wheels/$package-$version-$abi-$processor-$recipe
  if ! ls "$cache"/*.whl >/dev/null 2>&1; then
    [ -z "$gpu" ] || need_nvcc
    say "building $package for this processor (about $minutes on two cores, once)"
    mkdir -p "$cache.part"
    log=$cache.part/build.log
    sed -n "/^$package==/,/[^\\\\]\$/p" requirements-native.lock >"$cache.part/only.lock"
    if ! env "$@" CMAKE_GENERATOR=Ninja .venv/bin/python -m pip wheel --disable-pip-version-check --verbose --no-deps --no-cache-dir \
      --no-binary "$package" --require-hashes --wheel-dir "$cache.part" -r "$cache.part/only.lock" >"$log" 2>&1; then
      grep -iE 'error' "$log" | tail -n 5 >&2 || true
      fail "$package did not build; the whole log is in $log"
    fi
    rm -rf "$cache"
    mv "$cache.part" "$cache"
  fi
  "${pip[@]}" install --no-deps --force-reinstall "$cache"/*.whl
}

native llama-cpp-python "two minutes" \
  CMAKE_ARGS="${CMAKE_ARGS:-} ${gpu:+-DGGML_CUDA=ON} -DLLAVA_BUILD=OFF -DLLAMA_ALL_WARNINGS=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE=$PWD/ci/llama_library_only.cmake"
# Its set-up hands the whole environment to CMake. LLAMAFILE: the faster matrix products, and where voiceperf's own go in.
# Static: its ggml is another than llama.cpp's, and of two libraries of one name a process loads only the first.
native pywhispercpp "a minute" \
  ${gpu:+GGML_CUDA=ON} GGML_NATIVE=ON GGML_LLAMAFILE=ON BUILD_SHARED_LIBS=OFF CMAKE_POSITION_INDEPENDENT_CODE=ON \
  WHISPER_BUILD_EXAMPLES=OFF WHISPER_BUILD_TESTS=OFF WHISPER_BUILD_SERVER=OFF

"${pip[@]}" install --no-deps --editable .
printf %s "$gpu" >.venv/.gpu
touch "$stamp"
say "ready"
