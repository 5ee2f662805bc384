#!/usr/bin/env bash
# The metadata service does not answer for longer than every lease lasts: a volume that needs no
# change is served all the time, and afterwards the cluster is as it was.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

/usr/bin/python3 -c 'import nbd' 2>/dev/null || lacks 'python3-libnbd is not installed'
book=$CIO_TEST_DIR/book

ledger() {
    /usr/bin/python3 "$root/Tests/integration/ledger.py" "$1" "$(nbd_uri v2 db)" "$book" "${@:2}"
}
answers() { [ "$(grep -c '^done' "$book")" -ge "$1" ]; }
all_normal() { [ "$(cio node ls | grep -c ' normal')" = 3 ]; }

# Holds the one lock that writers of the store need.
hold_store() {
    /usr/bin/python3 -c 'import sqlite3, sys, time
store = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
store.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(8)' "$cluster/store/metadata.sqlite"
}

up --nodes 3
cio volume create db -c 1 -l 3 -n v2
touch "$book"
ledger write 20 &
client=$!
eventually 30 answers 1000

testing 'nobody can write into the store; the client goes on'
hold_store >"$CIO_TEST_DIR/hold" &
holder=$!
eventually 30 test -s "$CIO_TEST_DIR/hold"
for _ in {1..5}; do
    answered=$(grep -c '^done' "$book")
    sleep 1
    kill -0 "$holder"
    eventually 2 answers $((answered + 50))
done
wait "$holder"

testing 'it answers again: the cluster finds itself, and nothing is lost'
wait "$client" || say 'the client has to connect again'
eventually 30 all_normal
eventually 60 ledger check
eventually 60 is_healthy db
compare_copies db
