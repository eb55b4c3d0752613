# What ./demo and ./check share: steps with a clock and a log each, and the packages they need.
# Sourced by bash; the sourcing script has set -euo pipefail and stands in the root of the tree.

steps_began=$SECONDS
log_folder=build/log
mkdir -p "$log_folder"

clock() { # seconds -> 1m 05s
    if (( $1 < 60 )); then printf '%ds' "$1"; else printf '%dm %02ds' $(($1 / 60)) $(($1 % 60)); fi
}

say() { printf '%s\n' "$*"; }

fail() { # what is wrong, and what to do
    printf '\n%s: %s\n' "$(basename "$0")" "$1" >&2
    shift
    for line in "$@"; do printf '  %s\n' "$line" >&2; done
    exit 1
}

# step NAME SENTENCE COMMAND...: runs the command with its output in build/log/NAME.log; when it
# fails, shows the end of that and returns its status.
step() {
    local name=$1 sentence=$2 began=$SECONDS status=0
    shift 2
    local log=$log_folder/$name.log
    printf '%-58s' "$sentence ..."
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if (( status == 0 )); then
        printf ' ok     %s\n' "$(clock $((SECONDS - began)))"
    else
        printf ' FAILED %s\n' "$(clock $((SECONDS - began)))"
        printf '  the end of %s:\n' "$log"
        tail -n 40 "$log" | sed 's/^/  | /'
    fi
    return "$status"
}

# at_least 3.25 3.25.1: whether the second version is no lower than the first.
at_least() { [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }

# The Python that has a module: the one on PATH, else Debian's.
python_with() {
    local python
    for python in python3 /usr/bin/python3; do
        if "$python" -c "import $1" 2>/dev/null; then
            printf '%s' "$python"
            return 0
        fi
    done
    return 1
}

# have 'cmake>=3.25': whether it is there already; see deps/debian.txt for the forms.
have() {
    local what=${1%%>=*} version=''
    [[ $1 == *'>='* ]] && version=${1##*>=}
    case $what in
    file:*) [[ -e ${what#file:} ]] ;;
    pc:*)
        command -v pkg-config >/dev/null &&
            pkg-config ${version:+--atleast-version="$version"} --exists "${what#pc:}"
        ;;
    python:*) python_with "${what#python:}" >/dev/null ;;
    *)
        command -v "$what" >/dev/null || return 1
        [[ -z $version ]] && return 0
        local found
        found=$("$what" --version 2>/dev/null || "$what" version 2>/dev/null) || return 1
        found=$(grep -oE '[0-9]+(\.[0-9]+)*' <<<"$found" | head -n 1)
        at_least "$version" "${found:-0}"
        ;;
    esac
}

# missing_packages demo|quick|check|thorough: names from deps/debian.txt, one a line.
missing_packages() {
    local wanted=" demo "
    [[ $1 == demo ]] || wanted+="quick "
    [[ $1 == check || $1 == thorough ]] && wanted+="check "
    [[ $1 == thorough ]] && wanted+="thorough "
    local package purpose probe why
    while read -r package purpose probe why; do
        [[ -z $package || $package == '#'* ]] && continue
        [[ $wanted == *" $purpose "* ]] || continue
        have "$probe" || printf '%s\n' "$package"
    done <deps/debian.txt
}

explain_packages() { # name... -> one line each, with its reason
    local name
    for name in "$@"; do
        awk -v name="$name" '$1 == name { $2 = $3 = ""; sub(/^[^ ]+ +/, ""); printf "  %-20s %s\n", name, $0 }' \
            deps/debian.txt
    done
}

# Debian's ca-certificates, installed as a dependency, writes the system's bundle anew, and with it
# forgets authorities that were put there by hand (a company's own). What was trusted stays so.
certificates=/etc/ssl/certs/ca-certificates.crt
certificates_before=build/certificates-before.crt
keep_certificates() {
    [[ -s $certificates && ! -e $certificates_before ]] || return 0
    dpkg -s ca-certificates >/dev/null 2>&1 || cp -L "$certificates" "$certificates_before"
}

# npm has authorities of its own; it shall trust whom the system trusts.
trust_certificates() {
    [[ -z ${NODE_EXTRA_CA_CERTS:-} ]] || return 0
    if [[ -s $certificates_before ]]; then
        export NODE_EXTRA_CA_CERTS=$PWD/$certificates_before
    elif [[ -s $certificates ]]; then
        export NODE_EXTRA_CA_CERTS=$certificates
    fi
    return 0
}

install_packages() { # name...
    keep_certificates
    local as_root=()
    if (( EUID != 0 )); then
        command -v sudo >/dev/null ||
            fail "these packages are missing, and this is neither root nor is there sudo" \
                "as root: apt-get install --no-install-recommends $*"
        as_root=(sudo)
        sudo -v || fail "sudo refused" "as root: apt-get install --no-install-recommends $*"
    fi
    command -v apt-get >/dev/null ||
        fail "packages are missing, and this system has no apt-get" "install: $*"
    local settings=(DEBIAN_FRONTEND=noninteractive) name # sudo would drop the proxies
    for name in http_proxy https_proxy no_proxy; do
        [[ -z ${!name:-} ]] || settings+=("$name=${!name}")
    done
    local apt=(${as_root[@]+"${as_root[@]}"} env "${settings[@]}" apt-get -y -q
        -o Acquire::Retries=3 -o Dpkg::Use-Pty=0)
    step apt-update "reading Debian's package lists" "${apt[@]}" update ||
        fail "apt-get update failed; is there a network?" "see $log_folder/apt-update.log"
    step apt-install "installing $# packages" "${apt[@]}" install --no-install-recommends "$@" ||
        fail "apt-get install failed" "see $log_folder/apt-install.log"
}

# need_packages demo|quick|check|thorough yes|no: installs what is missing, or with "no" says it and ends.
need_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$1")
    if (( ${#missing[@]} == 0 )); then
        trust_certificates
        say "all packages of deps/debian.txt for '$1' are here"
        return 0
    fi
    if [[ $2 == no ]]; then
        say "missing, and not installed because of --no-install:" >&2
        explain_packages "${missing[@]}" >&2
        fail "${#missing[@]} packages are missing" \
            "install them yourself: apt-get install --no-install-recommends ${missing[*]}" \
            "or run ./$(basename "$0") without --no-install"
    fi
    say "missing here, and now installed from Debian with apt-get:"
    explain_packages "${missing[@]}"
    install_packages "${missing[@]}"
    trust_certificates
    mapfile -t missing < <(missing_packages "$1")
    (( ${#missing[@]} == 0 )) ||
        fail "still missing after the installation: ${missing[*]}" \
            "this needs Debian 12 or newer; deps/debian.txt says what is looked for"
}

cores() { getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2; }

# build PRESET [TARGET...]: configures build/PRESET and builds all of it, or only the targets.
build() {
    local preset=$1
    shift
    step "configure-$preset" "configuring build/$preset" cmake --preset "$preset" || return
    step "build-$preset" "building build/$preset" cmake --build "build/$preset" \
        --parallel "$(cores)" ${1:+--target "$@"}
}
