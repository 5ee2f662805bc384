#!/usr/bin/env bash
# SIGSTOP of an owner in the middle of its client's writes, until another owner has written: what
# still comes in its name is refused by the copies, by epoch; its client gets errors; and nothing of
# it is seen.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

/usr/bin/python3 -c 'import nbd' 2>/dev/null || lacks 'python3-libnbd is not installed'
command -v jq >/dev/null || lacks 'jq is not installed'
book=$CIO_TEST_DIR/book
old_book=$CIO_TEST_DIR/old-book

ledger() {
    /usr/bin/python3 "$root/Tests/integration/ledger.py" "$1" "$(nbd_uri "$2" db)" "${@:3}"
}
answers() { [ "$(grep -c '^done' "$1")" -ge "$2" ]; }

# The record $1 of the metadata service, and the value $2 of it.
record() {
    /usr/bin/python3 -c 'import sqlite3, sys
store = sqlite3.connect(f"file:{sys.argv[1]}?mode=ro", uri=True)
row = store.execute("SELECT value FROM entries WHERE key = ?", (sys.argv[2].encode(),)).fetchone()
print(row[0].decode())' "$cluster/store/metadata.sqlite" "$1" | jq -r "$2"
}

# Of the volume's configuration as it is now: what a request in the owner's name needs at each node.
remember_owner() {
    local configuration
    volume=$(field db id)
    configuration=cio/volumes/configuration/$volume
    record "$configuration" .epoch >"$CIO_TEST_DIR/epoch"
    cluster_id=$(record cio/cluster .id)
    owner_node=$(record "$configuration" .owner.node)
    instance=$(record "$configuration" .owner.instance)
    for node in v1 v2 v3; do
        address[${node#v}]=$(cio playground status --dir "$cluster" --json |
            jq -r --arg node "$node" '.[] | select(.name == $node) | "\(.ip) \(.port)"')
        replica[${node#v}]=$(cio volume info db --json |
            jq -r --arg node "$node" '.copies[] | select(.node == $node) | .id')
    done
}

# A write, a discard and a flush in the name of the old owner: all refused (status 1), and the
# answer names an epoch that is higher.
copy_refuses_old_owner() {
    local kind status promised count=0
    while read -r kind status promised; do
        same "$status" 1
        [ "$promised" -gt "$before" ] || fail "refused by epoch $promised, the old one was $before"
        count=$((count + 1))
    done < <(/usr/bin/python3 "$root/Tests/integration/wire.py" late ${address[$1]} "$before" $((1 << 30)) \
        "$cluster_id" "$owner_node" "$volume" "${replica[$1]}" "$instance")
    same "$count" 3
}

up --nodes 3 --rebuild-delay 1000
cio volume create db -c 1 -l 3 -n v3
address=() replica=()

testing 'the owner is stopped in the middle of writes'
touch "$old_book"
ledger write v3 "$old_book" 120 &
client=$!
eventually 30 answers "$old_book" 2000
remember_owner
before=$(<"$CIO_TEST_DIR/epoch")
owner=$(pid_of v3)
stopped+=("$owner")
kill -STOP "$owner"

testing 'another one takes over, and its client writes'
eventually 30 status_is v3 maintenance
# Its answers are read by now: it was stopped seconds ago.
cp "$old_book" "$book"
ledger check v1 "$book"
ledger write v1 "$book" 2
[ "$(field db epoch)" -gt "$before" ] || fail "the epoch has not grown from $before"

testing 'the copies refuse the old one, by epoch'
copy_refuses_old_owner 1
copy_refuses_old_owner 2
eventually 10 event_tells "old owner refused by the copy on node .*, epoch $before to"
ledger check v1 "$book"

testing 'the old owner wakes up: no write that it gets from now on is acknowledged'
lines=$(wc -l <"$old_book")
kill -CONT "$owner"
stopped=()
! wait "$client" || fail 'the client of the old owner ended well'
tail -n "+$((lines + 1))" "$old_book" >"$CIO_TEST_DIR/late"
awk '$1 == "begin" { begun[$3] = 1 } $1 == "done" && begun[$3] { bad = 1 } END { exit bad }' \
    "$CIO_TEST_DIR/late" || fail 'the old owner has acknowledged a write'
eventually 30 event_tells 'old owner node .* locked out'
eventually 30 status_is v3 normal

testing 'nothing of it is seen'
ledger check v1 "$book"
eventually 60 is_healthy db
ledger check v2 "$book"
eventually 60 is_healthy db
compare_copies db
