# The parts of ./check that need the release build; sourced by it.

integration_tests() {
    compgen -G 'test/integration/test_*.py' >/dev/null || return 0
    local python
    python=$(python_with pytest)
    attempt pytest "integration tests" env PLIMSOLL_BIN="$PWD/build/release/bin" \
        "$python" -m pytest -q -rs --durations=10 -m "not thorough" test/integration || true
    summary+=("integration tests: $(tail -n 1 "$log_folder/pytest.log" | tr -d '=')")
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
