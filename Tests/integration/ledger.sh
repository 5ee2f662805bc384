#!/usr/bin/env bash
# A ledger of every acknowledged write, while one owner after the other is killed in the middle of
# them: whoever takes over has them all.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

/usr/bin/python3 -c 'import nbd' 2>/dev/null || lacks 'python3-libnbd is not installed'
book=$CIO_TEST_DIR/book

ledger() {
    /usr/bin/python3 "$root/Tests/integration/ledger.py" "$1" "$(nbd_uri "$2" db)" "$book" "${@:3}"
}
answers() { [ "$(grep -c '^done' "$book")" -ge "$1" ]; }

role_is() { [ "$(cio node ls | awk -v node="$1" '$1 == node { print $4 }')" = "$2" ]; }

# Kills the owner $1 in the middle of writes; the client goes on at $2. $3…: how it is killed.
owner_dies() {
    local before answered client
    testing "the owner $1 dies in the middle of writes (${3-process}); $2 goes on"
    before=$(field db epoch)
    answered=$(grep -c '^done' "$book" || true)
    ledger write "$1" 60 &
    client=$!
    eventually 30 answers $((answered + 2000))
    at "$2"
    cio playground kill "$1" --dir "$cluster" "${@:3}"
    ! wait "$client" || fail 'the client of a dead owner ended well'
    # Until then the volume counts as attached there, and no other node gives it away.
    eventually 30 status_is "$1" maintenance
    ledger check "$2"
    ledger check "$2"
    [ "$(field db epoch)" -gt "$before" ] || fail "the epoch has not grown from $before"
    owner_is db "$2" || fail "the owner is $(field db node)"
    event_tells "epoch $before to .*:1104$" || fail 'no event tells the change of owner'
    cio playground start "$1" --dir "$cluster"
    eventually 60 is_healthy db
}

up --nodes 3
cio volume create db -c 1 -l 3 -n v1
same "$(cio node ls | awk '$1 == "v1" { print $4 }')" sds
touch "$book"
owner_dies v1 v2
event_tells 'failover completed\..* :1019$' || fail 'no event tells the takeover'
eventually 30 role_is v2 sds
owner_dies v2 v1 --lost-power

testing 'all nodes lose power at once, in the middle of writes'
answered=$(grep -c '^done' "$book")
ledger write v1 60 &
client=$!
eventually 30 answers $((answered + 2000))
pids=("$(pid_of v1)" "$(pid_of v2)" "$(pid_of v3)")
kill -KILL "${pids[@]}"
! wait "$client" || fail 'the client of a dead owner ended well'
# They are dead already, which it says; but they come back as from another boot.
for node in v1 v2 v3; do cio playground kill "$node" --dir "$cluster" --lost-power || true; done
for node in v1 v2 v3; do cio playground start "$node" --dir "$cluster"; done
ledger check v1
ledger write v1 2
ledger check v1
eventually 60 is_healthy db
compare_copies db
