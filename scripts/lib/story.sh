# Sourced by scripts/quickstart: how it tells what it does, and how it checks.

checks_held=0

# A numbered step of the story.
step() { printf '\n%s\n\n' "$1"; }

# A command as a person would type it, then what it prints.
show() {
    say "  \$ $*"
    "$@" | sed 's/^/  /'
    say ''
}

tell() { say "  $*"; }

# A check by name: the story goes on only when it holds.
holds() {
    local name=$1 log="$work/check.log"
    shift
    if "$@" >"$log" 2>&1; then
        checks_held=$((checks_held + 1))
        say "  [holds] $name"
        sed 's/^/          /' "$log"
        return
    fi
    say "  [FAILS] $name"
    sed 's/^/          /' "$log"
    broken=$name
    return 1
}

# The same, for something that takes its time: up to $1 seconds.
comes_true() {
    local seconds=$1 name=$2
    shift 2
    holds "$name" wait_for "$seconds" "$@"
}

# Points cio at the node $1.
at() {
    CIO_HOST="$work/cluster/$1/run/cio.sock"
    export CIO_HOST
}

# A value of a volume's description, as a jq-like path of plain keys: no jq is needed for it.
volume_field() {
    cio volume info "$1" --json | sed -n "s/^  \"$2\" : \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p"
}

# The nodes of the copies that are in sync, in one line.
copies_in_sync() {
    cio volume info "$1" | awk '$3 " " $4 == "in sync" { print $1 }' | sort | tr '\n' ' '
}

node_status() { cio node ls | awk -v node="$1" '$1 == node { print $5 }'; }
status_is() { [ "$(node_status "$1")" = "$2" ]; }
copies_are() { [ "$(copies_in_sync "$1")" = "$2 " ]; }
role_is() { [ "$(cio node ls | awk -v node="$1" '$1 == node { print $4 }')" = "$2" ]; }
event_tells() { cio events | grep -qE -- "$1"; }
