#!/usr/bin/env bash
# Frames and NBD options that do not fit, beside a client that works: each is answered with an
# error or closes its connection; the nodes stay up, and the volume is not harmed.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v jq >/dev/null || lacks 'jq is not installed'
/usr/bin/python3 -c 'import nbd' 2>/dev/null || lacks 'python3-libnbd is not installed'
book=$CIO_TEST_DIR/book

ledger() {
    /usr/bin/python3 "$root/Tests/integration/ledger.py" "$1" "$(nbd_uri v1 db)" "$book" "${@:2}"
}
wire() { /usr/bin/python3 "$root/Tests/integration/wire.py" "$@"; }
place_of() {
    cio playground status --dir "$cluster" --json |
        jq -r --arg node "$1" '.[] | select(.name == $node) | "\(.ip) \(.port)"'
}
pids() { for node in v1 v2 v3; do pid_of "$node"; done; }

up --nodes 3
cio volume create db -c 1 -l 3 -n v1
cio volume create other -c 1 -l 3 -n v1
alive=$(pids)
ledger write 8 &
client=$!

testing 'frames between nodes'
for node in v1 v2; do
    read -r address port < <(place_of "$node")
    wire noise "$address" "$port" 8
done

testing 'NBD options and requests'
wire nbd "$cluster/v1/run/nbd.sock" other 4

testing 'the client beside it has noticed nothing'
wait "$client" || fail 'the client has failed'
ledger check
same "$(pids)" "$alive"
same "$(cio node ls | grep -c ' normal')" 3

testing 'the reasons are in the log'
grep 'engine: connection' "$cluster/v1/ciod.log" | tail -n 3
eventually 30 is_healthy db
compare_copies db
compare_copies other
