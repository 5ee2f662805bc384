#!/usr/bin/env bash
# kill -9 of a replica, of sds and of the owner, while fio writes and verifies.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v fio >/dev/null || lacks 'fio is not installed'

# Writes and verifies for $2 seconds over NBD at the node $1, and ends with an error if any of it
# fails.
load() {
    fio --name=load --ioengine=nbd --uri="$(nbd_uri "$1" db)" --rw=randwrite --bs=4k --iodepth=16 \
        --size=32M --time_based --runtime="$2" --verify=crc32c --verify_fatal=1 \
        --verify_backlog=256 --output-format=terse >"$CIO_TEST_DIR/fio" 2>&1
}

# What was written before a node died is read back after it.
known() {
    fio --name=known --ioengine=nbd --uri="$(nbd_uri "$1" db)" --rw="$2" --bs=4k --iodepth=16 \
        --offset=64M --size=32M --verify=crc32c --verify_fatal=1 --randseed=7 --end_fsync=1 \
        "${@:3}" --output-format=terse >/dev/null
}

up --nodes 4 --rebuild-delay 2
cio volume create db -c 1 -l 3 -n v2 --copies-on v2,v3,v1

testing 'a replica dies under load: the client notices nothing'
load v2 8 &
client=$!
sleep 1
cio playground kill v3 --dir "$cluster"
wait "$client" || fail "fio: $(cat "$CIO_TEST_DIR/fio")"
eventually 60 is_healthy db

testing 'it comes back, and its old copy is not counted before it is up to date'
cio playground start v3 --dir "$cluster"
eventually 60 is_healthy db

testing 'sds dies under load: the client notices nothing, backup1 leads'
at v2
load v2 10 &
client=$!
sleep 1
leaders=$(events_like 'leads the cluster:1114$')
cio playground kill v1 --dir "$cluster"
wait "$client" || fail "fio: $(cat "$CIO_TEST_DIR/fio")"
eventually 30 more_events_like 'leads the cluster:1114$' "$leaders"
eventually 60 is_healthy db
cio playground start v1 --dir "$cluster"
eventually 30 status_is v1 normal

testing 'the owner dies under load: what was acknowledged before is there'
known v2 randwrite
load v2 30 &
client=$!
sleep 1
before=$(field db epoch)
at v1
cio playground kill v2 --dir "$cluster"
! wait "$client" || fail 'the client of a dead owner ended well'
eventually 30 status_is v2 maintenance
eventually 30 event_tells 'failover completed\..* :1019$'
known v4 randread --verify_only
[ "$(field db epoch)" -gt "$before" ] || fail "the epoch has not grown from $before"

testing 'it comes back, everything heals, all copies are equal'
cio playground start v2 --dir "$cluster"
eventually 60 is_healthy db
compare_copies db
