#!/usr/bin/env bash
# Wrong input to cio and ciod: one clear line, a status that is not 0, and no harm.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

up --nodes 3
cio volume create db -c 1 -l 2 -n v1
cio volume ls >"$CIO_TEST_DIR/before"

testing 'cio: volumes that cannot be'
refused cio volume create db
refused cio volume create 'a/b'
refused cio volume create ''
refused cio volume create '../../etc'
refused cio volume create "$(printf 'x%.0s' {1..300})"
refused cio volume create big -c 0
refused cio volume create big -c 65537
refused cio volume create big -c 99999999999999999999
refused cio volume create many -l 0
refused cio volume create many -l 4
refused cio volume create where --copies-on v1,v1
refused cio volume create where --copies-on v1,v9
refused cio volume create where --copies-on v1, -l 2
refused cio volume create where -n v9
refused cio volume create what -f ntfs
refused cio volume create what -t tape
refused cio volume create what -P thicker
refused cio volume create what -D relative/path
refused cio volume create what --label novalue

testing 'cio: volumes and nodes that are not there'
refused cio volume info nothing
refused cio volume info -V 99
refused cio volume info -u 00000000
refused cio volume info -u xyz
refused cio volume attach nothing
refused cio volume attach db -n v9
refused cio volume move db -n v9
refused cio volume detach db
refused cio volume rebuild db --to v9
refused cio volume rm nothing -y
refused cio node info v9
refused cio node info -N 00000000
refused cio info -n v9
refused cio volume ls -n v9

testing 'cio: a removal that nobody confirms'
refused cio volume rm db </dev/null
cio volume info db >/dev/null

testing 'cio: no ciod'
CIO_HOST=/nowhere refused cio node ls
CIO_HOST=/etc/hostname refused cio node ls

testing 'ciod: options that cannot be'
ciod_refused() {
    refused timeout 10 ciod --name x --state-dir "$CIO_TEST_DIR/x" --run-dir "$CIO_TEST_DIR/x/run" \
        --dev-dir "$CIO_TEST_DIR/x/dev" --volumes-dir "$CIO_TEST_DIR/x/volumes" --store memory "$@"
}
ciod_refused --port 0
ciod_refused --port 65536
ciod_refused --address 10.0.0.1
ciod_refused --address nowhere
ciod_refused --store ftp:x
ciod_refused --etcd http://127.0.0.1:1
ciod_refused --etcd nowhere
ciod_refused --engine steam
ciod_refused --boot-id xyz
ciod_refused --rebuild-delay=-1
ciod_refused --drive relative
ciod_refused --config /nowhere
printf 'nonsense\n' >"$CIO_TEST_DIR/conf"
ciod_refused --config "$CIO_TEST_DIR/conf"
printf 'no-such-key = 1\n' >"$CIO_TEST_DIR/conf"
ciod_refused --config "$CIO_TEST_DIR/conf"

testing 'the REST API: bodies that are none'
request() {
    local status
    status=$(curl -s -o "$CIO_TEST_DIR/answer" -w '%{http_code}' --unix-socket "$CIO_HOST" \
        "http://ciod$1" "${@:2}")
    [ "$status" -ge 400 ] && [ "$status" -lt 500 ] ||
        fail "$* was answered with $status: $(cat "$CIO_TEST_DIR/answer")"
}
if command -v curl >/dev/null; then
    request /v1/nothing
    request /v1/volumes -X POST -d ''
    request /v1/volumes -X POST -d '{'
    request /v1/volumes -X POST -d '[]'
    request /v1/volumes -X POST -d '{"level": "two"}'
    request /v1/volumes -X POST -d '{"name": "x", "capacityGB": -1}'
    request /v1/volumes/db/attach -X POST -d '{"waitSeconds": 601}'
    request /v1/volumes/db/rebuild -X POST -d '{}'
    request '/v1/events?n=-1'
    request '/v1/events?n=x'
    request /v1/volumes/db -X PUT -d '{}'
    head -c 4M /dev/zero | request /v1/volumes -X POST --data-binary @-
fi

testing 'nothing has changed'
cio volume ls | cmp - "$CIO_TEST_DIR/before"
same "$(cio node ls | grep -c ' normal')" 3
