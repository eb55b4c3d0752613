# The parts of ./check that need the release build; sourced by it.

integration_tests() {
    compgen -G 'test/integration/test_*.py' >/dev/null || return 0
    local python beside=()
    if python=$(python_with xdist); then
        beside=(-n 4 --dist loadfile) # they mostly wait; those that measure exactly run alone
    else
        python=$(python_with pytest)
    fi
    run_integration pytest "integration tests" "not thorough and not alone" "${beside[@]}"
    run_integration pytest-alone "integration tests that measure, alone" "not thorough and alone"
}

# The tests that a log says failed, one a line: test/integration/test_x.py::test_y
failed_tests() { # name
    sed -nE 's/ - .*//; s/^(FAILED|ERROR) (test\/)?/test\//p' "$log_folder/$1.log" | sort -u
}

pytest_integration() { # options...
    env PLIMSOLL_BIN="$PWD/build/release/bin" \
        "$python" -m pytest -q -rfEs --durations=10 "$@"
}

# Four tests at a time share two processors with the servers they start. A few that fail so are run
# again with nothing beside them: what fails then is broken; what passes was crowded, and the
# summary names it.
run_integration() { # name, sentence, marks, options...
    local name=$1 sentence=$2 marks=$3 status=0 counts broken=()
    shift 3
    rm -f "$log_folder/$name-again.log"
    step "$name" "$sentence" pytest_integration -m "$marks" "$@" test/integration || status=$?
    if (( status != 0 )); then
        mapfile -t broken < <(failed_tests "$name")
        # 1 is pytest's word for "all were run, some failed"; after any other some never ran.
        if (( status != 1 )) || ! passes_alone "$name" "${broken[@]}"; then
            failed+=("$sentence")
            mapfile -t -O "${#failed[@]}" failed < <(grep -hE '^(FAILED|ERROR) ' \
                "$log_folder/$name"{,-again}.log 2>/dev/null | sort -u | head -n 20 | sed 's/^/  /')
        fi
    fi
    counts=$(tail -n 1 "$log_folder/$name.log" | tr -d '=')
    summary+=("$sentence: $counts")
    [[ -f $log_folder/$name-again.log ]] || return 0
    summary+=("  again, with nothing beside: $(tail -n 1 "$log_folder/$name-again.log" | tr -d '=')"
        "${broken[@]/#/  }")
}

most_crowded=5 # more failures than these are no accident

passes_alone() { # name, tests...
    local name=$1
    shift
    (( $# > 0 && $# <= most_crowded )) || return 1
    step "$name-again" "  what failed, with nothing beside it" pytest_integration "$@"
}

# web/ has its own tests under npm, and needs Debian's Chromium.
page_tests() {
    [[ -f web/package.json ]] || return 0
    grep -q '"test"' web/package.json || return 0
    attempt npm-test "the page's tests" env PLIMSOLL_BIN="$PWD/build/release/bin" \
        PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 CHROMIUM="$(command -v chromium)" \
        npm --prefix web test || true
    summary+=("the page's tests: $(grep -E '^(#|ℹ) (pass|fail) ' "$log_folder/npm-test.log" |
        tail -n 2 | tr -s '\n ' ' ')")
}
