# What only ./check --thorough does; sourced by it.

# Each fuzz target for ten minutes (FUZZ_SECONDS), from its corpus; see test/fuzz/thorough.
fuzz_tests() {
    local seconds=${FUZZ_SECONDS:-600}
    build fuzz || { failed+=("building build/fuzz"); return 0; }
    attempt fuzz "fuzzing each target for $(clock "$seconds")" test/fuzz/thorough "$seconds" || true
    summary+=("fuzzing: $(grep -c '^fuzz_.*: ' "$log_folder/fuzz.log" || true) targets")
}

thorough_tests() {
    if build clang; then
        tests clang "the tests again, built with clang" -LE 'release|thorough'
        attempt clang-tidy "clang-tidy over the source" clang_tidy || true
    else
        failed+=("building build/clang")
    fi
    if build tsan; then
        tests tsan "the tests again, with the thread sanitizer" -LE 'release|thorough|tidy'
    else
        failed+=("building build/tsan")
    fi
    build release || failed+=("building all of build/release") # the benchmarks too
    export PLIMSOLL_THOROUGH=1 # as many requests as the claims name, instead of a sample
    tests release "truth against theory, at full length" -L release
    if has_tests thorough; then
        tests release "tests marked thorough" -L thorough
    fi
    attempt pytest-thorough "integration tests marked thorough" \
        env PLIMSOLL_BIN="$PWD/build/release/bin" "$(python_with pytest)" -m pytest -q -rs \
        -m thorough test/integration || true
    summary+=("integration tests marked thorough: $(tail -n 1 "$log_folder/pytest-thorough.log" |
        tr -d '=')")
    attempt mutants "five planted mistakes, each of which a test must see" \
        python3 test/mutant/run.py || true
    fuzz_tests
    local bench
    for bench in test/bench/*.sh; do
        [[ -x $bench ]] || continue
        attempt "bench-$(basename "$bench" .sh)" "benchmark $(basename "$bench" .sh)" \
            env PLIMSOLL_BIN="$PWD/build/release/bin" "$bench" || true
    done
}

clang_tidy() {
    find src testbed -name '*.c' -print0 |
        xargs -0 -n 8 -P "$(cores)" clang-tidy -p build/clang --quiet
}
