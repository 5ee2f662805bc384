#!/usr/bin/env bash
# The block device: a pattern test at depth 32, and ext4 and xfs made, used, trimmed and checked.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

for tool in fio mkfs.ext4 mkfs.xfs fstrim; do
    command -v "$tool" >/dev/null || lacks "$tool is not installed"
done

up --nodes 3
cp -r "$root/Sources" "$CIO_TEST_DIR/tree"

pattern() {
    testing "a pattern in 60,000 sectors of the raw device, at depth 32"
    cio volume create raw -c 1 -l 3 -n v1
    cio volume attach raw -n v1
    local device=$cluster/v1/dev/vd1
    fio --name=pattern --filename="$(realpath "$device")" --ioengine=libaio --direct=1 \
        --rw=randwrite --bs=4k --iodepth=32 --size=$((60000 * 512)) --verify=pattern \
        --verify_pattern=%o --verify_fatal=1 --output-format=terse >/dev/null
    cio volume detach raw
    compare_copies raw
    cio volume rm raw -y
}

# What the copy at v1 takes on its drive.
copy_kb() { du -k "$cluster"/v1/drive/replicas/"$(field "$1" id)"/data | cut -f1; }

trim_gives_back() {
    sync --file-system "$2" && fstrim "$2" && [ "$(copy_kb "$1")" -lt "$3" ]
}

use_filesystem() {
    local filesystem=$1 point device full
    testing "$filesystem: made at first use, used, trimmed, checked"
    cio volume create "$filesystem" -c 2 -l 2 -n v1 -f "$filesystem"
    cio volume attach "$filesystem" -n v1 --mount
    point=$(field "$filesystem" directory)
    same "$(findmnt -no FSTYPE "$point")" "$filesystem"
    head -c 100M /dev/urandom >"$point/junk"
    cp -r "$CIO_TEST_DIR/tree" "$point/"
    sync --file-system "$point"
    full=$(copy_kb "$filesystem")
    rm "$point/junk"
    # XFS frees a removed file's blocks in the background.
    eventually 20 trim_gives_back "$filesystem" "$point" $((full - 80 * 1024))

    testing "$filesystem: on another node, the files are there, and it is not made anew"
    cio volume move "$filesystem" -n v2
    point=$(field "$filesystem" directory)
    diff -r "$CIO_TEST_DIR/tree" "$point/tree"
    cio volume detach "$filesystem"
    cio volume attach "$filesystem" -n v2
    device=$(realpath "$cluster/v2/dev/$(field "$filesystem" vdisk)")
    case $filesystem in
    ext4) e2fsck -f -n "$device" ;;
    xfs) xfs_repair -n "$device" ;;
    esac
    cio volume detach "$filesystem"
    eventually 30 is_healthy "$filesystem"
    compare_copies "$filesystem"
}

pattern
use_filesystem ext4
use_filesystem xfs
