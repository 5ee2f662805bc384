#!/usr/bin/env bash
# etcd as the metadata service: its leader dies under load and nobody notices; an owner dies while
# a member is away, and is taken over from; members and nodes come back.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v etcd >/dev/null || lacks 'etcd-server is not installed'
/usr/bin/python3 -c 'import nbd' 2>/dev/null || lacks 'python3-libnbd is not installed'
book=$CIO_TEST_DIR/book

ledger() {
    /usr/bin/python3 "$root/Tests/integration/ledger.py" "$1" "$(nbd_uri "$2" db)" "$book" "${@:3}"
}
answers() { [ "$(grep -c '^done' "$book")" -ge "$1" ]; }
members() { cio playground status --dir "$cluster" | awk -v status="$1" '$5 == status { print $1 }'; }
has_leader() { [ "$(members leader | wc -l)" = 1 ] && [ "$(members follower | wc -l)" = "$1" ]; }
all_normal() { [ "$(cio node ls | grep -c ' normal')" = 3 ]; }

testing 'up with three members; other settings are refused'
up --nodes 3 --etcd
has_leader 2 || fail "$(cio playground status --dir "$cluster")"
[ ! -e "$cluster/store" ] || fail 'there is a SQLite store as well'
refused cio playground up --nodes 4 --etcd --dir "$cluster"
refused cio playground kill m1 --dir "$cluster"
cio info | grep -q '^Metadata service  *etcd, reachable$' || fail "$(cio info)"
same "$(cio info --json | jq -r '[.metadataService.endpoints[].role] | sort | join(" ")')" \
    'follower follower leader'
cio volume create db -c 1 -l 3 -n v2
: >"$book"
ledger write v2 6 &
client=$!
eventually 30 answers 1000

testing 'the leader of etcd dies under load: the client and the cluster notice nothing'
at v1
leader=$(members leader)
kill -KILL "$(pid_of "$leader")"
eventually 20 has_leader 1
cio info | grep -q ':2379 of the metadata service does not answer$' || fail "$(cio info)"
wait "$client" || fail 'the client lost its volume'
all_normal || fail "$(cio node ls)"
! event_tells ':2101$' || fail 'a node was given up'
cio volume create other -c 1 -l 2
cio volume rm other -y

testing 'the owner dies meanwhile: another one takes over'
before=$(field db epoch)
ledger write v2 60 &
client=$!
eventually 30 answers $(($(grep -c '^done' "$book") + 1000))
cio playground kill v2 --dir "$cluster"
! wait "$client" || fail 'the client of a dead owner ended well'
has_leader 1 || fail 'a node took an etcd member along'
eventually 30 status_is v2 maintenance
ledger check v1
[ "$(field db epoch)" -gt "$before" ] || fail "the epoch has not grown from $before"

testing 'the member and the node come back; the copies are equal'
cio playground up --dir "$cluster"
has_leader 2 || fail "$(cio playground status --dir "$cluster")"
eventually 60 is_healthy db
ledger check v1
compare_copies db

testing 'down takes the members along'
pid=$(pid_of m1)
cio playground down --dir "$cluster"
# What nobody has reaped is dead all the same, and has no program.
[ ! -e "/proc/$pid/exe" ] || fail "etcd lives on as process $pid"
[ ! -e "$cluster" ] || fail "something is left: $(ls -A "$cluster")"
