#!/usr/bin/env bash
# ./run_scalability_tests.sh --all-scenarios --duration=600
# The comprehensive suite: progression, vertical and horizontal, each measured for the duration.
# Anything else goes to `plimsoll scale all`. What cannot be done here is said before it begins.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
words=()
for word in "$@"; do
    [[ $word == --all-scenarios ]] || words+=("$word")
done
exec python3 "$here/scaling_scenarios.py" --test=all "${words[@]}"
