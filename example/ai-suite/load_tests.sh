#!/usr/bin/env bash
# Runs the three scenarios one after the other and writes PHASE_3_LOAD_TESTING_RESULTS.md: their
# targets, what was measured and what went wrong. More words go to each `plimsoll run`:
#
#   ./load_tests.sh                       45 minutes
#   ./load_tests.sh --time-scale 0.1      a rehearsal
#
# GATEWAY, RAG and MCP name the three services (localhost:8000, 8002 and 8020).
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
command=${PLIMSOLL:-$(command -v plimsoll || true)}
for kind in release dev; do
    [[ -n $command ]] || command=$(compgen -G "$here/../../build/$kind/bin/plimsoll" || true)
done
if [[ -z $command ]]; then
    echo "load_tests.sh: plimsoll is not installed; ./demo builds it, or PLIMSOLL=/path/to/plimsoll" >&2
    exit 1
fi

results=PHASE_3_LOAD_TESTING_RESULTS.md runs=runs/load-tests-$(date +%Y-%m-%dT%H-%M-%S) worst=0
printf '# Load Testing Results\n\n' >"$results"
run() {
    local name=$1 target=$2 code=0
    shift 2
    "$command" run "scenario:$name" --target "$target" --output-dir "$runs/$name" "$@" || code=$?
    ((code > worst)) && worst=$code
    if compgen -G "$runs/$name/*.plim" >/dev/null; then
        "$command" report @last --runs "$runs/$name" --format markdown >>"$results"
    else
        printf '## %s\n\nnot measured: plimsoll ended with %s\n' "$name" "$code" >>"$results"
    fi
    printf '\n' >>"$results"
    return "$code"
}
run api-gateway "${GATEWAY:-http://localhost:8000}" "$@"
[[ $? != 105 ]] && run rag-service "${RAG:-http://localhost:8002}" "$@"
[[ $? != 105 ]] && run mcp-server "${MCP:-http://localhost:8020}" "$@"
echo "results       $results"
exit "$worst"
