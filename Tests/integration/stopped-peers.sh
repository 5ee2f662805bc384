#!/usr/bin/env bash
# SIGSTOP of a replica, and of sds, while fio writes and verifies: the client waits for a moment at
# most and sees no error; whoever wakes up again is taken in.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v fio >/dev/null || lacks 'fio is not installed'
rounds=$CIO_TEST_DIR/rounds
enough=$CIO_TEST_DIR/enough

# Writes and verifies at v2, 16 MiB a round, until the file `enough` is there; ends with an error
# if any of it fails.
load() {
    until [ -e "$enough" ]; do
        fio --name=load --ioengine=nbd --uri="$(nbd_uri v2 db)" --rw=randwrite --bs=4k \
            --iodepth=16 --size=16M --verify=crc32c --verify_fatal=1 --verify_backlog=256 \
            --output-format=terse >"$CIO_TEST_DIR/fio" 2>&1 || return
        say done >>"$rounds"
    done
}

begin_load() {
    rm -f "$enough"
    : >"$rounds"
    load &
    client=$!
    goes_on
}

# Two rounds end: the second one has begun after this was asked.
goes_on() {
    local before
    before=$(wc -l <"$rounds")
    eventually 60 rounds_beyond $((before + 1))
}
rounds_beyond() { [ "$(wc -l <"$rounds")" -gt "$1" ] || ! kill -0 "$client"; }

end_load() {
    touch "$enough"
    wait "$client" || fail "fio: $(<"$CIO_TEST_DIR/fio")"
}

stop() {
    local pid
    pid=$(pid_of "$1")
    stopped+=("$pid")
    kill -STOP "$pid"
}

wake() {
    kill -CONT "${stopped[@]}"
    stopped=()
}

up --nodes 4 --rebuild-delay 1000
cio volume create db -c 1 -l 3 -n v2 --copies-on v2,v3,v1
at v2

testing 'a replica is stopped under load: the client goes on without it'
begin_load
before=$(field db epoch)
stop v3
eventually 30 status_is v3 maintenance
goes_on
[ "$(field db epoch)" -gt "$before" ] || fail "the epoch has not grown from $before"

testing 'it wakes up and is brought up to date, while the load goes on'
wake
eventually 30 status_is v3 normal
eventually 60 is_healthy db
goes_on
end_load

testing 'sds is stopped under load, with a copy on it: backup1 leads, the client goes on'
begin_load
leaders=$(events_like 'leads the cluster:1114$')
stop v1
eventually 30 status_is v1 maintenance
eventually 30 more_events_like 'leads the cluster:1114$' "$leaders"
goes_on

testing 'the old leader wakes up: it leads no more, and all are taken in'
wake
eventually 30 status_is v1 normal
eventually 60 is_healthy db
goes_on
end_load
[ "$(cio node ls | grep -c ' sds ')" = 1 ] || fail "$(cio node ls)"
compare_copies db
