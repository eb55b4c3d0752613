#!/usr/bin/env bash
# The shell behind ./demo and ./check: it parses, compares versions, reads deps/debian.txt, and with
# --no-install says what is missing without touching anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
count=0
expect() { # sentence command...
    local sentence=$1
    shift
    count=$((count + 1))
    "$@" || { echo "not so: $sentence"; exit 1; }
}
refuse() {
    local sentence=$1
    shift
    count=$((count + 1))
    ! "$@" || { echo "should not be so: $sentence"; exit 1; }
}

for script in demo check .ci/run tool/*.sh; do
    expect "$script parses" bash -n "$script"
done

# Each package once, with who needs it, how to see it, and why.
expect "deps/debian.txt has whole lines, each package once" awk '
    /^#/ || NF == 0 { next }
    NF < 4 || $2 !~ /^(demo|quick|check|thorough)$/ || seen[$1]++ { print FILENAME ":" NR ": " $0; bad = 1 }
    END { exit bad || NR == 0 }' deps/debian.txt

# What CMake asks pkg-config for is in the list too.
for module in $(sed -nE 's/^dependency\([a-z]+ +([^ )]+).*/\1/p' tool/cmake/dependencies.cmake); do
    expect "deps/debian.txt has pc:$module" grep -qE "[[:space:]]pc:$module(>=|[[:space:]])" deps/debian.txt
done

cp -r tool deps demo check "$scratch"
cd "$scratch"
source tool/steps.sh
expect "3.25.1 is at least 3.25" at_least 3.25 3.25.1
expect "3.100 is at least 3.25" at_least 3.25 3.100
expect "18 is at least 18" at_least 18 18
refuse "16.20 is at least 18" at_least 18 16.20
expect "bash is here" have bash
expect "bash is at least 4" have 'bash>=4'
refuse "bash is at least 99" have 'bash>=99'
refuse "a program that nobody has" have plimsoll-no-such-program
expect "a file that is here" have file:deps/debian.txt
refuse "a file that is not" have file:deps/nothing.txt

printf '%s\n' 'imaginary-one demo plimsoll-no-such-program of the demo' \
    'imaginary-two check file:/no/such/file of the check' 'bash demo bash the shell' >deps/debian.txt
expect "the demo lacks one" test "$(missing_packages demo)" = imaginary-one
expect "the check lacks both" test "$(missing_packages check | tr '\n' ' ')" = "imaginary-one imaginary-two "
expect "the quick check lacks one" test "$(missing_packages quick)" = imaginary-one

mkdir -p bin
printf '#!/bin/sh\necho "apt-get ran" >>%s/touched\n' "$scratch" >bin/apt-get
cp bin/apt-get bin/sudo
chmod +x bin/apt-get bin/sudo
for command in "./demo --plan deps/debian.txt" ./check; do
    status=0
    said=$(PATH=$scratch/bin:$PATH $command --no-install 2>&1) || status=$?
    expect "$command --no-install ends with 1" test "$status" = 1
    expect "$command --no-install names what is missing" grep -q 'imaginary-one' <<<"$said"
    expect "$command --no-install says how to get it" grep -q 'apt-get install' <<<"$said"
done
refuse "--no-install ran apt-get or sudo" test -e touched
for command in ./demo ./check; do
    expect "$command --help" grep -q '^usage:' <<<"$($command --help)"
    status=0
    $command --nonsense >/dev/null 2>&1 || status=$?
    expect "$command --nonsense ends with 2" test "$status" = 2
done
echo "scripts: $count claims hold"
