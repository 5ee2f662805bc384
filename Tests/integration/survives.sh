#!/usr/bin/env bash
# ciod ends below mounted volumes, of kill -9 and of SIGTERM, while fio writes and verifies: I/O
# waits, and goes on. Where no ciod follows in time another node takes over, and what is mounted
# here gets errors.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

for tool in fio mkfs.ext4 mkfs.xfs e2fsck xfs_repair; do
    command -v "$tool" >/dev/null || lacks "$tool is not installed"
done

# Seconds of silence after which v1 is given up; renewed when a third of it has passed.
liveness=10
filesystems=(ext4 xfs)
declare -A point device client

# What the loop device of the volume $1 has written, in requests.
written() {
    local counts
    read -r -a counts <"/sys/block/${device[$1]}/stat"
    say "${counts[4]}"
}
has_written() { [ "$(written "$1")" -gt "$2" ]; }

all_write() {
    local name before
    for name in "${filesystems[@]}"; do
        before=$(written "$name")
        eventually 30 has_written "$name" "$before"
        kill -0 "${client[$name]}" 2>/dev/null || fail "fio: $(cat "$CIO_TEST_DIR/$name.fio")"
    done
}

# Writes, flushes and verifies on the mounted volume $1 until it is told to end.
load() {
    fio --name=load --directory="${point[$1]}" --ioengine=libaio --direct=1 --rw=randwrite \
        --bs=4k --iodepth=8 --size=32M --time_based --runtime=600 --fsync=32 \
        --verify=crc32c --verify_fatal=1 --verify_backlog=64 \
        >"$CIO_TEST_DIR/$1.fio" 2>&1 &
    client[$1]=$!
}

end_load() {
    kill -INT "${client[$1]}"
    wait "${client[$1]}" || true
    grep -q 'err= 0' "$CIO_TEST_DIR/$1.fio" && ! grep -qiE 'verify:|error=' "$CIO_TEST_DIR/$1.fio" ||
        fail "fio: $(cat "$CIO_TEST_DIR/$1.fio")"
}

# A file of known content, written or read back.
known() {
    fio --name=known --directory="${point[$1]}" --ioengine=libaio --direct=1 --rw="$2" --bs=4k \
        --iodepth=8 --size=8M --verify=crc32c --verify_fatal=1 --randseed=7 --end_fsync=1 \
        "${@:3}" >"$CIO_TEST_DIR/$1.known" 2>&1 || fail "fio: $(cat "$CIO_TEST_DIR/$1.known")"
}

ends() { ! kill -0 "$1" 2>/dev/null; }

# Ends the ciod of the node $1 with the signal $2, and nothing else.
end_ciod() {
    local pid
    pid=$(pid_of "$1")
    kill -"$2" "$pid"
    eventually 20 ends "$pid"
}

start_ciod() { cio playground start "$1" --dir "$cluster"; }

use() {
    local name=$1 node=$2
    cio volume attach "$name" -n "$node" --mount
    point[$name]=$(field "$name" directory)
    device[$name]=$(basename "$(realpath "$cluster/$node/dev/$(field "$name" vdisk)")")
}

# At rest: the filesystem is sound, and its copies are the same.
check_at_rest() {
    local name=$1 path=/dev/${device[$1]}
    cio volume detach "$name"
    cio volume attach "$name" -n "$2"
    path=$(realpath "$cluster/$2/dev/$(field "$name" vdisk)")
    case $name in
    ext4) e2fsck -f -n "$path" ;;
    xfs) xfs_repair -n "$path" ;;
    esac
    cio volume detach "$name"
    eventually 60 is_healthy "$name"
    compare_copies "$name"
}

up --nodes 3 --liveness "$liveness" --rebuild-delay 600
# With a copy beside its owner, and without.
cio volume create ext4 -c 1 -l 2 -n v1 -f ext4 --copies-on v1,v2
cio volume create xfs -c 1 -l 2 -n v1 -f xfs --copies-on v2,v3
for name in "${filesystems[@]}"; do
    use "$name" v1
    known "$name" randwrite
    load "$name"
done
all_write

testing 'ciod is killed five times below them'
for _ in {1..5}; do
    end_ciod v1 KILL
    start_ciod v1
    all_write
done

testing 'it stays away for a while'
end_ciod v1 KILL
sleep 3
start_ciod v1
all_write

testing 'it ends on SIGTERM, and leaves what is mounted'
end_ciod v1 TERM
same "$(mounts_below "$cluster/v1/volumes" | wc -l)" 2
start_ciod v1
all_write
event_tells 'goes on at node .*:1120$' || fail 'no event tells that the volume goes on'
! event_tells ':1104$' || fail 'another node has taken a volume over'

testing 'nothing was lost, nothing is wrong'
for name in "${filesystems[@]}"; do end_load "$name"; done
for name in "${filesystems[@]}"; do known "$name" randread --verify_only; done
for name in "${filesystems[@]}"; do check_at_rest "$name" v1; done

testing 'ciod stays away for too long: another node takes over'
use ext4 v1
load ext4
all_writing() { has_written ext4 "$1"; }
eventually 30 all_writing "$(written ext4)"
end_ciod v1 KILL
at v2
eventually 60 status_is v1 maintenance
eventually 30 event_tells 'failover completed\..*:1019$'
use ext4 v2
known ext4 randread --verify_only
date >"${point[ext4]}/since"
sync --file-system "${point[ext4]}"

testing 'its mount gets errors when it is back, and is gone'
start_ciod v1
! wait "${client[ext4]}" || fail 'a client of the old owner ended well'
grep -qE 'Input/output error|Read-only file system' "$CIO_TEST_DIR/ext4.fio" ||
    fail "fio: $(cat "$CIO_TEST_DIR/ext4.fio")"
eventually 30 event_tells 'does not go on at node .* the owner is v2, epoch .*:2112$'
same "$(mounts_below "$cluster/v1" | wc -l)" 0
[ -s "${point[ext4]}/since" ] || fail 'what the new owner has written is gone'
eventually 60 is_healthy ext4
check_at_rest ext4 v2

testing 'SIGINT leaves nothing, whoever uses it'
use ext4 v2
load ext4
eventually 30 all_writing "$(written ext4)"
end_ciod v2 INT
! wait "${client[ext4]}" || fail 'a client of a volume that was taken away ended well'
same "$(mounts_below "$cluster/v2" | wc -l)" 0
