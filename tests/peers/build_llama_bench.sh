#!/usr/bin/env bash
# build_llama_bench.sh PYTHON FOLDER: llama.cpp's own benchmark, from the very sources that our llama-cpp-python is built of.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$1 folder=$2
[ -x "$folder/llama-bench" ] && exit 0
printf 'peers: building llama-bench (about five minutes on two cores, once)\n' >&2
mkdir -p "$folder"
sed -n '/^llama-cpp-python==/,/[^\\]$/p' requirements-native.lock >"$folder/only.lock"
"$python" -m pip download --disable-pip-version-check --quiet --no-deps --no-binary llama-cpp-python --require-hashes \
  --dest "$folder" -r "$folder/only.lock"
tar xzf "$folder"/llama_cpp_python-*.tar.gz -C "$folder"
bin=$(dirname "$python")
PATH=$bin:$PATH cmake -G Ninja -S "$folder"/llama_cpp_python-*/vendor/llama.cpp -B "$folder/build" -DCMAKE_BUILD_TYPE=Release \
  -DBUILD_SHARED_LIBS=OFF -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_SERVER=OFF >"$folder/build.log" 2>&1 &&
  PATH=$bin:$PATH cmake --build "$folder/build" --target llama-bench >>"$folder/build.log" 2>&1 ||
  { printf 'peers: llama-bench did not build; the log is %s\n' "$folder/build.log" >&2; exit 1; }
mv "$folder/build/bin/llama-bench" "$folder/llama-bench"
rm -rf "$folder/build" "$folder"/llama_cpp_python-*
