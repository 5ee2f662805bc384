# Sourced by Tests/integration/*.sh: a cluster of real processes, and words to test it with.
#
# Each script runs by itself as well, in a folder of its own. It ends with status 0 when all held,
# 77 when this machine lacks something (the last line says what), anything else is a failure.

set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
source "$(dirname "${BASH_SOURCE[0]}")/leftovers.sh"
PATH=$bin:$PATH

# Below the folder of the whole run, which its next run clears, or by itself.
if [ -z "${CIO_TEST_DIR-}" ]; then
    CIO_TEST_DIR=/tmp/cio-integration
    begin_run "$CIO_TEST_DIR"
fi
mkdir -p "$CIO_TEST_DIR"
# Clients leave files where they stand: fio the state of its verification.
cd "$CIO_TEST_DIR"
cluster=$CIO_TEST_DIR/cluster
stopped=()

# Whatever happens: no process is left stopped, which would hang the whole machine's `sync`.
leave() {
    local status=$?
    trap - EXIT
    for pid in "${stopped[@]}"; do kill -CONT "$pid" 2>/dev/null || true; done
    if [ "$status" != 0 ]; then
        tail -n 8 "$cluster"/v*/ciod.log "$cluster"/etcd/m*/etcd.log 2>/dev/null || true
        cio events -n 30 || true
    fi
    cio playground down --dir "$cluster" >/dev/null 2>&1 || true
    exit "$status"
}
trap leave EXIT

lacks() {
    say "$1"
    exit 77
}

up() {
    cio playground up --dir "$cluster" "$@"
    at v1
}

at() { export CIO_HOST=$cluster/$1/run/cio.sock; }
pid_of() { cio playground status --dir "$cluster" | awk -v node="$1" '$1 == node { print $4 }'; }

# Says what is tested now; the log of a failure ends with it.
testing() { say "-- $*"; }

# Fails the script unless the two are the same.
same() { [ "$1" = "$2" ] || fail "expected '$2', found '$1'"; }

# The command has to fail, with one line that begins with Fail.
refused() {
    local output status=0
    output=$("$@" 2>&1 >/dev/null) || status=$?
    [ "$status" != 0 ] || fail "$* was not refused"
    [[ $output == 'Fail: '* && $output != *$'\n'* ]] || fail "$* told '$output'"
    say "   $output"
}

eventually() {
    local seconds=$1
    shift
    wait_for "$seconds" "$@" || fail "not within $seconds s: $*"
}

# `yes` while every copy of the volume is in sync, and there are as many as wanted.
is_healthy() {
    cio volume info "$1" | awk '
        $1 == "copies" { want = $6; have = $4 }
        $3 " " $4 == "in sync" { found++ }
        listed && NF { copies++ }
        /^NODENAME/ { listed = 1 }
        END { exit !(have == want && copies == want && found == want) }'
}

field() { cio volume info "$1" --json | sed -n "s/^  \"$2\" : \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p"; }
owner_is() { [ "$(field "$1" node)" = "$2" ]; }
status_is() { [ "$(cio node ls | awk -v node="$1" '$1 == node { print $5 }')" = "$2" ]; }
event_tells() { cio events | grep -qE -- "$1"; }
# How many events match, and whether it is more than it was.
events_like() { cio events | grep -cE -- "$1" || true; }
more_events_like() { [ "$(events_like "$1")" -gt "$2" ]; }

# The volume $2 at the node $1, for NBD clients.
nbd_uri() { say "nbd+unix:///$2?socket=$cluster/$1/run/nbd.sock"; }

# All copies of a volume at rest, byte for byte.
compare_copies() {
    cio-compare "$cluster"/v*/drive/replicas/"$(field "$1" id)"
}
