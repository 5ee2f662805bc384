#!/usr/bin/env bash
# Blocks that change by themselves on a drive: read from another copy, and repaired in place.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v fio >/dev/null || lacks 'fio is not installed'

up --nodes 3
cio volume create db -c 1 -l 3 -n v1
cio volume attach db
device=$(realpath "$cluster/v1/dev/vd1")

pattern() {
    fio --name=pattern --filename="$device" --ioengine=io_uring --direct=1 --rw="$1" --bs=4k \
        --iodepth=16 --size=8M --verify=crc32c --verify_fatal=1 "${@:2}" \
        --output-format=terse >fio 2>&1 || fail "fio: $(<fio)"
}

# Past the page cache, as a drive would.
rot() {
    dd if=/dev/urandom of="$cluster/$1/drive/replicas/$(field db id)/data" bs=4096 count=1 \
        seek="$2" conv=notrunc oflag=direct status=none
}

repairs() { cio events -n 1000 | grep -c 'written anew on node .*:1115$' || true; }
are_repaired() { [ "$(repairs)" -ge "$1" ]; }

testing 'a block that rots on one copy is read from another, and repaired'
pattern write
rot v1 7
rot v1 1500
pattern read --verify_only
eventually 10 are_repaired 2
event_tells 'does not match its checksum at byte 28672:3102$' || fail 'no event tells of the damage'
found=$(repairs)
pattern read --verify_only
same "$(repairs)" "$found"

testing 'a block that rots on every copy answers errors, and no other does'
for node in v1 v2 v3; do rot "$node" 7; done
! dd if="$device" of=/dev/null bs=4096 count=1 skip=7 iflag=direct status=none 2>/dev/null ||
    fail 'damaged data was read'
dd if="$device" of=/dev/null bs=4096 count=1 skip=8 iflag=direct status=none
same "$(field db copiesInSync)" 3

testing 'writing it anew mends it'
pattern write
pattern read --verify_only
cio volume detach db
compare_copies db
