#!/usr/bin/env bash
# SIGSTOP of an owner: its volume moves. When it wakes up it changes nothing any more: its writes
# are refused by epoch, and its client gets errors.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v fio >/dev/null || lacks 'fio is not installed'

pattern() {
    qemu-io -f raw "$(nbd_uri "$1" db)" -c "$2 -P $3 0 16M" -c flush 2>&1 |
        tee "$CIO_TEST_DIR/qemu-io"
    ! grep -qiE 'fail|error' "$CIO_TEST_DIR/qemu-io"
}

up --nodes 3 --rebuild-delay 2
cio volume create db -c 1 -l 3 -n v3 --copies-on v3,v2,v1
pattern v3 write 1

testing 'the owner is stopped with writes of its client on their way'
owner=$(pid_of v3)
fio --name=late --ioengine=nbd --uri="$(nbd_uri v3 db)" --rw=randwrite --bs=4k --iodepth=32 \
    --size=16M --time_based --runtime=60 --buffer_pattern=0x02 --output-format=terse \
    >"$CIO_TEST_DIR/late" 2>&1 &
client=$!
sleep 1
stopped+=("$owner")
kill -STOP "$owner"

testing 'another node takes over, and its client writes'
eventually 30 status_is v3 maintenance
eventually 30 event_tells 'failover completed\..* :1019$'
taken=$(field db epoch)
pattern v1 write 3

testing 'the old owner wakes up: its client gets errors'
kill -CONT "$owner"
stopped=()
! timeout 60 tail --pid="$client" -f /dev/null || true
! wait "$client" || fail 'the client of the old owner ended well'

testing 'what the new owner wrote is there, and nothing else'
pattern v1 read 3
eventually 30 status_is v3 normal
# Whichever is first: a copy refuses it, or it reads in the record that it is one no more.
eventually 30 event_tells 'old owner (refused by the copy on node|node .* locked out)'
[ "$(field db epoch)" -ge "$taken" ] || fail 'the epoch went back'
eventually 60 is_healthy db
pattern v1 read 3
compare_copies db
