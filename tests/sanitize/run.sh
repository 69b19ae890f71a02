#!/bin/sh
# Run the kernels of csrc/ under the sanitizers of the compiler: addresses and undefined behaviour in three builds, threads in
# one; and call the operators of torch with damaged arguments under the address sanitizer. It prints the commands; any
# finding, wrong number or failed build gives an exit code other than 0.
#
#   tests/sanitize/run.sh            all
#   CXX=clang++ tests/sanitize/run.sh
#   CASES=2000 tests/sanitize/run.sh more of them
#   ONLY=operators tests/sanitize/run.sh the operators of torch alone; PYTHON is a Python with memtape
set -eu
cd "$(dirname "$0")/../.."
CXX=${CXX:-g++}
CASES=${CASES:-240}
PYTHON=${PYTHON:-.venv/bin/python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:halt_on_error=1
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

# run NAME LEVEL CASES FLAGS...
run() {
    name=$1 level=$2 cases=$3
    shift 3
    sources=""
    for source in tests/sanitize/*.cpp csrc/*.cpp csrc/*/*.cpp; do sources="$sources $source"; done
    echo "$name: $CXX -std=c++17 -g -fno-omit-frame-pointer -pthread -I csrc $* $sources"
    # shellcheck disable=SC2086 # a list of files
    "$CXX" -std=c++17 -g -fno-omit-frame-pointer -pthread -I csrc "$@" $sources -o "$work/$name"
    code=0
    # Without address space randomisation, which the thread sanitizer of older compilers does not support.
    if [ "${name#threads}" != "$name" ] && command -v setarch >/dev/null; then
        setarch "$(uname -m)" -R "$work/$name" "$level" "$cases" || code=$?
    else
        "$work/$name" "$level" "$cases" || code=$?
    fi
    if [ "$code" = 77 ]; then
        echo "$name: left out, this processor cannot run it"
    elif [ "$code" != 0 ]; then
        echo "$name: FAILED with code $code" >&2
        exit 1
    else
        echo "$name: nothing found"
    fi
}

# operators NAME CASES FLAGS...: the operators of torch, with damaged arguments, under the address sanitizer.
operators() {
    name=$1 cases=$2
    shift 2
    folder="$work/operators-$name"
    mkdir "$folder"
    sources=""
    for source in csrc/*.cpp csrc/*/*.cpp; do sources="$sources $source"; done
    echo "operators-$name: $CXX -std=c++17 -O1 -g -fno-omit-frame-pointer -fPIC -shared -pthread -fsanitize=address -I csrc $* $sources"
    # shellcheck disable=SC2086 # a list of files
    "$CXX" -std=c++17 -O1 -g -fno-omit-frame-pointer -fPIC -shared -pthread -fsanitize=address -I csrc "$@" $sources \
        -o "$folder/memtape-$name.so"
    code=0
    # Python and torch do not free all of their memory; a tensor that is too large is an error of torch.
    LD_PRELOAD="$("$CXX" -print-file-name=libasan.so) $("$CXX" -print-file-name=libstdc++.so)" \
        ASAN_OPTIONS="detect_leaks=0:halt_on_error=1:allocator_may_return_null=1:max_allocation_size_mb=1024" \
        PYTHONPATH=src "$PYTHON" tests/sanitize/operators.py "$folder" "$cases" || code=$?
    if [ "$code" != 0 ]; then
        echo "operators-$name: FAILED with code $code" >&2
        exit 1
    fi
    echo "operators-$name: nothing found"
}

if [ "${ONLY:-}" != operators ]; then
    memory="-O1 -fsanitize=address,undefined -fno-sanitize-recover=all"
    # shellcheck disable=SC2086 # lists of flags
    {
        run memory-portable 0 "$CASES" $memory
        if [ "$(uname -m)" = x86_64 ]; then
            run memory-x86-64-v3 3 "$CASES" $memory -march=x86-64-v3
            # GCC before 14 aligns the replaced stack to 32 bytes, too few for registers of 64 (its bug 110027).
            ASAN_OPTIONS=${ASAN_OPTIONS%%:detect_stack*}:halt_on_error=1
            run memory-x86-64-v4 4 "$CASES" $memory -march=x86-64-v4
        fi
        run threads-portable 0 "$((CASES / 2))" -O1 -fsanitize=thread
    }
fi
operators portable "$CASES"
if grep -qs avx512dq /proc/cpuinfo; then operators x86-64-v4 "$CASES" -march=x86-64-v4; fi
echo "all sanitizers done"
