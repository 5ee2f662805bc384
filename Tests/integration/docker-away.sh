#!/usr/bin/env bash
# The metadata service hangs, and then is dead: what Docker asks without wanting a change is
# answered all the same, at every node, a mounted volume is used on, and what needs a change fails
# with a reason.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v etcd >/dev/null || lacks 'etcd-server is not installed'
for program in curl jq; do
    command -v "$program" >/dev/null || lacks "$program is not installed"
done

# One call to the plugin of the node $1, as Docker would make it and with its patience. Tells how
# long it took.
ask() {
    local began
    began=$(now_ms)
    curl -sS --max-time 120 --unix-socket "$cluster/$1/run/docker.sock" -H 'Host;' \
        -d "${3-{\}}" "http://x/VolumeDriver.$2"
    warn "   $1 $2: $(($(now_ms) - began)) ms"
}
answer() { ask "$@" | jq -cS .; }
mounted() { answer "$1" Get '{"Name":"db"}' | jq -r .Volume.Mountpoint; }
all_normal() { [ "$(cio node ls | grep -c ' normal')" = 3 ]; }
members() { for member in m1 m2 m3; do pid_of $member; done; }
is_stopped() { [[ $(ps -o state= "$1") == T ]]; }

# What every node says of everything, with the answers of all calls that change nothing.
read_all() {
    local node
    for node in v1 v2 v3; do
        answer $node Capabilities
        answer $node List
        answer $node Get '{"Name":"db"}'
        answer $node Get '{"Name":"idle"}'
        answer $node Get '{"Name":"nobody"}'
        answer $node Path '{"Name":"db"}'
        answer $node Path '{"Name":"idle"}'
    done
}

# The answers are as they were, and the service was away all the time.
reads_are_as_before() {
    read_all >"$CIO_TEST_DIR/now"
    diff "$CIO_TEST_DIR/before" "$CIO_TEST_DIR/now"
}

# Data written now is there, without the service.
write_and_read() {
    say "$1" >"$point/file"
    sync -f "$point/file"
    same "$(<"$point/file")" "$1"
}

changes_fail() {
    local call output
    for call in 'Create {"Name":"new","Opts":{"capacity":"1"}}' 'Remove {"Name":"idle"}' \
        'Mount {"Name":"idle","ID":"x"}'; do
        output=$(ask v1 "${call%% *}" "${call#* }" | jq -r .Err)
        [ -n "$output" ] || fail "$call was done"
        say "   $output"
        [[ $output == *etcd* || $output == *'metadata'* ]] || fail "$call told '$output'"
    done
}

up --nodes 3 --etcd
answer v1 Create '{"Name":"db","Opts":{"capacity":"1"}}'
answer v2 Create '{"Name":"idle","Opts":{"capacity":"1","label":"app=web"}}'
same "$(answer v1 Mount '{"Name":"db","ID":"one"}' | jq -r .Err)" ''
point=$(mounted v1)
[ "$point" = "$cluster/v1/volumes/vd1/data" ] || fail "it is mounted at '$point'"
write_and_read before
# Everybody has heard of everything.
knows() { [ "$(answer "$1" List | jq '.Volumes | length')" = 2 ]; }
for node in v1 v2 v3; do eventually 10 knows $node; done
read_all >"$CIO_TEST_DIR/before"
grep -q '"Err":".*nobody' "$CIO_TEST_DIR/before" || fail 'an unknown volume was found'
same "$(grep -c '"Scope":"global"' "$CIO_TEST_DIR/before")" 3
same "$(grep -c "\"Mountpoint\":\"$point\"" "$CIO_TEST_DIR/before")" 3

testing 'every member hangs: reads are answered, the volume is used on'
for pid in $(members); do
    stopped+=("$pid")
    kill -STOP "$pid"
done
reads_are_as_before
write_and_read hanging

testing 'for longer than every lease: the same'
sleep 8
reads_are_as_before
write_and_read longer
same "$(cio info --json | jq .metadataService.isReachable)" false
cio info | grep -q 'the metadata service does not answer: what changes a record waits$'
for pid in "${stopped[@]}"; do is_stopped "$pid" || fail "member $pid went on"; done

testing 'what needs a change fails, with a reason'
changes_fail

testing 'they go on: nobody was given up, and changes are made again'
for pid in "${stopped[@]}"; do kill -CONT "$pid"; done
stopped=()
eventually 60 all_normal
made() { [ "$(answer v1 Create '{"Name":"new","Opts":{"capacity":"1"}}' | jq -r .Err)" = '' ]; }
eventually 60 made
same "$(answer v1 Remove '{"Name":"new"}')" '{"Err":""}'
eventually 20 reads_are_as_before

testing 'every member is dead: the same'
for pid in $(members); do kill -KILL "$pid"; done
reads_are_as_before
write_and_read dead
changes_fail

testing 'they are back: the container ends as ever, its data is at another node'
cio playground up --dir "$cluster"
eventually 60 all_normal
eventually 60 made
same "$(answer v1 Unmount '{"Name":"db","ID":"one"}')" '{"Err":""}'
same "$(answer v2 Mount '{"Name":"db","ID":"two"}' | jq -r .Err)" ''
same "$(<"$cluster/v2/volumes/vd1/data/file")" dead
same "$(answer v2 Unmount '{"Name":"db","ID":"two"}')" '{"Err":""}'
! event_tells ':2103$' || fail 'somebody was locked out'
eventually 60 is_healthy db
compare_copies db
