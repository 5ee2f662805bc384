#!/usr/bin/env bash
# Nodes with namespaces of their own: what is theirs alone, what a cut takes, and that nothing is
# left behind, whatever was killed half way.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v ip >/dev/null || lacks 'iproute2 is not installed'
unshare --net --mount true 2>/dev/null || lacks 'this machine lets nobody make namespaces'

play() { cio playground "$1" --dir "$cluster" "${@:2}"; }
on() { cio playground exec "$1" --dir "$cluster" -- "${@:2}"; }
cable_of() { play status | awk -v node="$1" '$1 == node { print $6 }'; }
keepers() {
    local pid
    for pid in $(marked_processes "$CIO_RUN"); do ! is_keeper "$pid" || say "$pid"; done
}
check_nothing_left() {
    nothing_left ||
        fail "something is left: $(mounts_below "$cluster") $(keepers) $(ls -A "$cluster")"
}
nothing_left() {
    [ -z "$(mounts_below "$cluster")" ] && [ -z "$(loops_below "$cluster")" ] &&
        [ -z "$(keepers)" ] && [ ! -e "$cluster" ]
}
# It has become the sleeper.
is_inside() { [[ $(readlink "/proc/$1/exe") == */sleep ]]; }
is_attached() { [ -e "/sys/block/${1#/dev/}/loop/backing_file" ]; }
devices() { cut -d: -f1 -s /proc/net/dev | tr -d ' ' | sort; }
CIO_RUN=${CIO_RUN:-$CIO_TEST_DIR}
export CIO_RUN

testing 'up, twice; other settings, and what does not fit, are refused'
before=$(devices)
refused cio playground up --nodes 2 --namespaces --etcd --dir "$cluster"
up --nodes 2 --namespaces
play up --namespaces
refused cio playground up --etcd --dir "$cluster"
same "$(play status | grep -c ' normal *plugged ')" 2
same "$(devices)" "$before"

testing 'a node has a network of its own, and reaches its peer there'
same "$(on v2 cat /proc/net/dev | grep -c 'eth0:')" 1
on v2 bash -c 'exec 3<>/dev/tcp/10.77.0.1/7701'
same "$(on v2 cio version | awk '/^ciod/ { print $4 }')" v2

testing 'a command on a node: its folder, its words, its status'
same "$(cd "$cluster" && on v1 pwd)" "$cluster"
same "$(on v1 printf '%s|' 'a b' '' '*')" 'a b||*|'
status=0
on v1 bash -c 'exit 7' || status=$?
same "$status" 7

testing 'its mounts are its own'
cio volume create db -c 1 -l 2 -n v2
cio volume attach db -n v2 --mount
mounted=$cluster/v2/volumes/vd1
on v2 bash -c "echo data >$mounted/file; sync -f $mounted; grep -q ' $mounted xfs ' /proc/mounts"
same "$(mounts_below "$cluster")" ''
[ ! -e "$mounted/file" ] || fail 'the machine sees the mount'
on v1 test ! -e "$mounted/file"
[ -S "$cluster/v2/run/nbd.sock" ]

testing 'ciod alone is killed and started: the mount has waited'
kill -KILL "$(pid_of v2)"
play start v2
same "$(on v2 cat "$mounted/file")" data

testing 'wrong words'
refused cio playground cut v9 --dir "$cluster"
refused cio playground uncut v2 --dir "$cluster"
refused cio playground exec v9 --dir "$cluster" -- true
refused cio playground exec v2 --dir "$cluster"

testing 'a cut node hears nobody; the store is a file, which is said'
play cut v2 >"$CIO_TEST_DIR/said"
grep -q 'metadata service is a file, which v2 still reaches' "$CIO_TEST_DIR/said"
refused cio playground cut v2 --dir "$cluster"
same "$(cable_of v1) $(cable_of v2)" 'plugged cut'
same "$(play status --json | jq -r '.[1].cable')" cut
! on v2 timeout 2 bash -c 'exec 3<>/dev/tcp/10.77.0.1/7701' 2>/dev/null || fail 'it hears v1'
play uncut v2
same "$(cable_of v2)" plugged
on v2 timeout 20 bash -c 'until exec 3<>/dev/tcp/10.77.0.1/7701; do sleep 0.1; done' 2>/dev/null

testing 'a dead node takes all that is on it along; its cable stays as it was'
cio playground exec v2 --dir "$cluster" -- bash -c "cd $mounted && exec sleep 600" &
user=$!
eventually 5 is_inside "$user"
loop=$(loops_below "$cluster/v2")
is_attached "$loop"
play cut v2 >/dev/null
play kill v2
! wait "$user" || fail 'what ran on it ended well'
! is_attached "$loop" || fail "$loop is still there"
refused cio playground exec v2 --dir "$cluster" -- true
refused cio playground kill v2 --dir "$cluster"
play start v2
same "$(cable_of v2)" cut
play uncut v2
same "$(on v2 bash -c "ls -A $mounted | wc -l")" 0

testing 'a node whose keeper was killed runs on; then it dies like any other'
eventually 20 cio volume attach db -n v2 --mount
for pid in $(marked_processes "$CIO_RUN"); do
    ! grep -qzxF "CIO_PLAYGROUND_KEEPER=$cluster/v2" "/proc/$pid/environ" || kill -KILL "$pid"
done
same "$(play status | grep -c ' normal ')" 2
play up
same "$(on v2 cat "$mounted/file")" data
for pid in $(marked_processes "$CIO_RUN"); do
    ! grep -qzxF "CIO_PLAYGROUND_KEEPER=$cluster/v2" "/proc/$pid/environ" || kill -KILL "$pid"
done
loop=$(loops_below "$cluster/v2")
play kill v2
! is_attached "$loop" || fail "$loop is still there"
play start v2

testing 'down; and down after an up that was killed half way'
play down
check_nothing_left
for pause in 0.05 0.2 0.4; do
    cio playground up --nodes 3 --namespaces --dir "$cluster" >/dev/null &
    victim=$!
    sleep "$pause"
    kill -KILL "$victim"
    wait "$victim" 2>/dev/null || true
    [ "$pause" = 0.2 ] || cio playground up --nodes 3 --namespaces --dir "$cluster"
    [ ! -e "$cluster/playground.json" ] || play down
    check_nothing_left
done
same "$(devices)" "$before"

testing 'without namespaces there is no cable'
up --nodes 1
refused cio playground cut v1 --dir "$cluster"
refused cio playground uncut v1 --dir "$cluster"
refused cio playground exec v1 --dir "$cluster" -- true
refused cio playground up --namespaces --dir "$cluster"
