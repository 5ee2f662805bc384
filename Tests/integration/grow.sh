#!/usr/bin/env bash
# Volumes grow while they are used: the device, xfs, btrfs and ext4 on it, copies that were away,
# and by themselves.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v fio >/dev/null || lacks 'fio is not installed'
command -v mkfs.btrfs >/dev/null || lacks 'btrfs-progs is not installed'

directory() { field "$1" directory; }
megabytes() { df -m --output=size "$(directory "$1")" | tail -n 1; }
device_gb() { say $(($(blockdev --getsize64 "$(field "$1" device)") >> 30)); }
is_larger() { [ "$(megabytes "$1")" -gt "$2" ]; }

up --nodes 3 --rebuild-delay 1000

testing 'a volume grows under a load that is verified'
cio volume create db -c 1 -l 3 -n v1
cio volume attach db --mount
fio --name=load --directory="$(directory db)" --rw=randwrite --bs=4k --iodepth=8 --direct=1 \
    --ioengine=io_uring --size=64M --time_based --runtime=6 --verify=crc32c --verify_fatal=1 \
    --verify_backlog=256 --output-format=terse >fio 2>&1 &
client=$!
sleep 1
same "$(cio volume update db -c 3)" 'Succeed: Update vd1 capacity: increased to 3GB'
eventually 20 is_larger db 2500
same "$(device_gb db)" 3
wait "$client" || fail "fio: $(<fio)"
event_tells 'volume db \(vd1\) is expanded on node .*:1010$' || fail 'no event tells of it'
[ "$(field db copiesInSync)" = 3 ] || fail 'a copy left the copies in sync'

testing 'a copy that was away grows when it comes back'
cio playground kill v3 --dir "$cluster"
eventually 30 status_is v3 maintenance
cio volume update db -g 1
eventually 20 is_larger db 3500
head -c 32M /dev/urandom >"$(directory db)/junk"
sync -f "$(directory db)/junk"
cio playground start v3 --dir "$cluster"
eventually 60 is_healthy db

testing 'btrfs grows while it is mounted; ext4 there or at its next mount, and says so'
cio volume create tree -c 1 -l 2 -n v1 -f btrfs
cio volume attach tree --mount
cio volume update tree -c 2
eventually 20 is_larger tree 1900
cio volume create old -c 1 -l 2 -n v1 -f ext4
cio volume attach old --mount
head -c 8M /dev/urandom >"$(directory old)/junk"
sum=$(sha256sum <"$(directory old)/junk")
cio volume update old -c 2
if ! wait_for 5 is_larger old 1800; then
    eventually 10 event_tells 'its ext4 cannot grow while it is mounted .*:2111$'
    cio volume detach old
    cio volume attach old --mount
    eventually 20 is_larger old 1800
fi
same "$(sha256sum <"$(directory old)/junk")" "$sum"

testing 'a volume that fills up grows by itself, as often as it may'
cio volume create full -c 1 -l 2 -n v1 --autoexpand yes --autoexpand-threshold 50 \
    --autoexpand-limit 1
cio volume attach full --mount
head -c 600M /dev/zero >"$(directory full)/junk"
eventually 40 is_larger full 1800
same "$(field full autoexpandCount)" 1

testing 'what makes no sense is refused'
refused cio volume update db -c 3
refused cio volume update db -c 65537
refused cio volume update db -g 18446744073709551615
refused cio volume update db -c 9 -g 1
refused cio volume update db --autoexpand maybe
refused cio volume update db --autoexpand-threshold 100

testing 'detached volumes grow as well; all copies are equal'
for volume in db tree old full; do cio volume detach "$volume"; done
cio volume update db -c 6
same "$(field db capacity)" 6
for volume in db tree old full; do compare_copies "$volume"; done
