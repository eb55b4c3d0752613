# What only ./check --thorough does; sourced by it.

fuzz_seconds=${FUZZ_SECONDS:-600}

# Each fuzz target, beginning from its corpus in test/fuzz/corpus/NAME.
fuzz_tests() {
    build fuzz || { failed+=("building build/fuzz"); return 0; }
    local target name found
    for target in build/fuzz/bin/fuzz_*; do
        [[ -x $target ]] || continue
        name=$(basename "$target")
        found=build/fuzz/found/$name
        mkdir -p "$found"
        local corpora=("$found")
        [[ -d test/fuzz/corpus/${name#fuzz_} ]] && corpora+=("test/fuzz/corpus/${name#fuzz_}")
        attempt "$name" "fuzzing ${name#fuzz_} for $(clock "$fuzz_seconds")" "$target" \
            -max_total_time="$fuzz_seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
            -artifact_prefix="$found/" "${corpora[@]}" || true
        summary+=("$name: $(grep -E 'stat::number_of_executed_units' "$log_folder/$name.log" |
            grep -oE '[0-9]+' || echo 0) inputs")
    done
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
    if ctest --test-dir build/release -N -L thorough 2>/dev/null | grep -q 'Test *#'; then
        tests release "tests marked thorough" -L thorough
    fi
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
