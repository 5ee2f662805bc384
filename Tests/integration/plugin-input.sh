#!/usr/bin/env bash
# The volume driver of a real ciod under calls that no Docker would make, and a thousand at once:
# errors, but no leak and no wrong mount.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v python3 >/dev/null || lacks 'python3 is not installed'
calls=$root/Tests/integration/plugin_calls.py

up --nodes 3
socket=$cluster/v1/run/docker.sock
pid=$(pid_of v1)
ask() { curl -sS --max-time 120 --unix-socket "$socket" -H 'Host;' -d "$2" "http://x/VolumeDriver.$1"; }
is_off() { [ "$(field db isAttached)" = false ]; }

descriptors() { ls "/proc/$pid/fd" | wc -l; }
has_descriptors_at_most() { [ "$(descriptors)" -le "$1" ]; }
# Private memory, in MiB.
memory() { awk '$1 == "RssAnon:" { print int($2 / 1024) }' "/proc/$pid/status"; }
mounts() { grep -c "$cluster" /proc/self/mounts || true; }
volumes() { cio volume ls; }

ask Create '{"Name":"db","Opts":{"capacity":"1"}}'
ask Create '{"Name":"other","Opts":{"capacity":"1","level":"1"}}'
volumes >"$CIO_TEST_DIR/volumes"
before=$(mounts)

unchanged() {
    volumes | cmp - "$CIO_TEST_DIR/volumes"
    same "$(mounts)" "$before"
    same "$(jq -c .volumes "$cluster/v1/state/docker-references.json" 2>/dev/null || say '{}')" '{}'
    same "$(pid_of v1)" "$pid"
}

testing 'wrong calls, while nothing is mounted'
python3 "$calls" "$socket" wrong
unchanged

crowd() {
    local ids id
    # Or it could be removed before the first of them mounts it.
    ask Mount '{"Name":"db","ID":"first"}' >/dev/null
    ids="first $(python3 "$calls" "$socket" crowd db 1000)"
    # Mounted once, whatever the number of users; and nothing else is.
    same "$(grep -c " $cluster/v1/volumes/" /proc/self/mounts)" 1
    same "$(field db node) $(field db isMounted)" 'v1 true'
    same "$(field other isAttached)" false
    same "$(jq '[.volumes[].ids | length] | add' "$cluster/v1/state/docker-references.json")" \
        "$(wc -w <<<"$ids")"
    for id in $ids; do
        same "$(ask Unmount "{\"Name\":\"db\",\"ID\":\"$id\"}")" '{"Err":""}'
    done
    eventually 20 is_off
}

testing 'a thousand calls at once'
crowd
unchanged

testing 'nothing grows with more of them'
few=$(descriptors)
python3 "$calls" "$socket" wrong
crowd
small=$(memory)
for _ in 1 2 3; do
    python3 "$calls" "$socket" wrong
    crowd
done
# Connections are cleared away a moment after their clients are gone.
eventually 20 has_descriptors_at_most "$few"
say "descriptors $few, then $(descriptors); memory $small MiB, then $(memory) MiB"
# Three rounds are 4,000 calls and 200 MiB of bodies: one that kept 4 KiB of each would show.
[ "$(memory)" -le $((small + 16)) ] || fail "memory grew from $small to $(memory) MiB"
unchanged

testing 'and it is a driver as before'
same "$(ask Mount '{"Name":"db","ID":"1"}')" \
    "{\"Err\":\"\",\"Mountpoint\":\"$cluster/v1/volumes/vd1/data\"}"
same "$(ask Unmount '{"Name":"db","ID":"1"}')" '{"Err":""}'
