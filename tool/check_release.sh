# The parts of ./check that need the release build; sourced by it.

integration_tests() {
    compgen -G 'test/integration/test_*.py' >/dev/null || return 0
    local python beside=()
    if python=$(python_with xdist); then
        beside=(-n 2 --dist loadfile) # they mostly wait; those that measure exactly run alone
    else
        python=$(python_with pytest)
    fi
    run_integration pytest "integration tests" "not thorough and not alone" "${beside[@]}"
    run_integration pytest-alone "integration tests that measure, alone" "not thorough and alone"
}

run_integration() { # name, sentence, marks, options...
    local name=$1 sentence=$2 marks=$3
    shift 3
    attempt "$name" "$sentence" env PLIMSOLL_BIN="$PWD/build/release/bin" \
        "$python" -m pytest -q -rs --durations=10 -m "$marks" "$@" test/integration || true
    summary+=("$sentence: $(tail -n 1 "$log_folder/$name.log" | tr -d '=')")
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
