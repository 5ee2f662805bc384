# Sourced by every script: where things are, and how lines are written.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# The one configuration: built once, used by quickstart, tests and people.
configuration=(-c release -Xswiftc -enable-testing)
bin=$root/.build/release

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }

# One line: what failed, why, what to do next.
fail() {
    warn "Fail: $*"
    exit 1
}

need_root() { [ "$(id -u)" = 0 ] || fail "$1: it mounts devices; run it as root"; }

# Seconds with one decimal since $1, a value of now_ms.
seconds_since() { printf '%d.%01d' $((($(now_ms) - $1) / 1000)) $((($(now_ms) - $1) % 1000 / 100)); }
now_ms() { local t=${EPOCHREALTIME/[.,]/}; printf '%s' $((t / 1000)); }

# When the process $1 was started, in clock ticks since boot: with the pid it names one process
# for ever, which a pid alone does not. Empty when there is none, or it is dead and only waits for
# its parent.
start_time() {
    local line
    { read -r line <"/proc/$1/stat"; } 2>/dev/null || return 0
    # The name in parentheses may hold anything; the start is the 20th field after it.
    line=${line##*) }
    set -- $line
    [[ $1 == [ZX] ]] || printf '%s' "${20}"
}

# Waits up to $1 seconds for a command to succeed.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}
