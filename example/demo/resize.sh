#!/usr/bin/env bash
# What a scale test runs to make the demo's service larger or smaller: resize.sh SLOTS, or
# resize.sh look. Every instance starts anew with so many slots.
set -euo pipefail
state=${DEMO_STATE:?}
mkdir -p "$state"
if [[ $1 == look ]]; then
    cat "$state/slots" 2>/dev/null || echo 8
    exit 0
fi
[[ $(cat "$state/slots" 2>/dev/null || echo 8) == "$1" && -e $state/slots ]] && exit 0
echo "$1" >"$state/slots"
for file in "$state"/instance-*; do
    [[ -e $file ]] || continue
    port=${file##*-}
    rm -f "$state/has-$port"
    kill -HUP "$(cat "$file")" 2>/dev/null || continue
    for _ in $(seq 100); do
        [[ $(cat "$state/has-$port" 2>/dev/null) == "$1" ]] && break
        sleep 0.1
    done
    [[ $(cat "$state/has-$port" 2>/dev/null) == "$1" ]] || { echo "instance $port did not start anew"; exit 1; }
done
