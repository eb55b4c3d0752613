#!/usr/bin/env bash
# One instance of the demo's service: instance.sh PORT. It has as many slots as the file "slots" in
# DEMO_STATE says, and starts anew with as many as that says by then when it gets a HUP.
set -uo pipefail
port=$1 state=${DEMO_STATE:?} child=''
mkdir -p "$state"
end() { [[ -z $child ]] || kill "$child" 2>/dev/null; wait 2>/dev/null; rm -f "$state"/*-"$port"; exit 0; }
again() { [[ -z $child ]] || kill "$child" 2>/dev/null; }
trap end TERM INT
trap again HUP
echo $$ >"$state/instance-$port"
while :; do
    slots=$(cat "$state/slots" 2>/dev/null || echo 8)
    # 6 tokens an answer, each a step of 12 ms and 1.5 ms a sequence: with all of 8 slots taken, 55
    # answers a second. A search is real work over 10,000 vectors; the database has 4 connections.
    setpriv --pdeathsig TERM "${DEMO_TESTBED:?}" --port "$port" --law batching --slots "$slots" \
        --tokens 6 --step-base-ms 12 --step-per-sequence-ms 1.5 --vectors 10000 --vectors-at-start \
        --db-pool 4 --db-ms 8 >"$state/heard-$port" 2>&1 &
    child=$!
    for _ in $(seq 200); do
        grep -q '^listening' "$state/heard-$port" 2>/dev/null && break
        kill -0 "$child" 2>/dev/null || break
        sleep 0.05
    done
    echo "$slots" >"$state/has-$port"
    wait "$child"
    kill -0 "$child" 2>/dev/null && wait "$child" # a signal came, and not the end
    kill "$child" 2>/dev/null
    sleep 0.05
done
