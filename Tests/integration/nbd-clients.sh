#!/usr/bin/env bash
# Foreign NBD clients, unchanged: nbdinfo, nbdcopy, nbdsh, qemu-io, fio with verification.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

for tool in nbdinfo nbdcopy nbdsh qemu-io fio; do
    command -v "$tool" >/dev/null || lacks "$tool is not installed"
done

# With Debian's Python, for which its module is.
nbd_shell() { PATH=/usr/bin:/bin nbdsh "$@"; }

up --nodes 3
cio volume create db -c 1 -l 3 -n v1
uri=$(nbd_uri v1 db)

testing 'nbdinfo: the export list, its size and what it can'
nbdinfo --list "nbd+unix:///?socket=$cluster/v1/run/nbd.sock" | grep -q 'export="db"'
same "$(nbdinfo --size "$uri")" $((1 << 30))
for ability in flush fua trim zero multi-conn; do nbdinfo --can "$ability" "$uri"; done

is_detached() { [ "$(field "$1" isAttached)" = false ]; }

testing 'an export that is not there'
! nbdinfo "$(nbd_uri v1 nothing)" 2>"$CIO_TEST_DIR/refusal"
grep -qi 'no volume\|unknown\|not' "$CIO_TEST_DIR/refusal"

testing 'qemu-io: any 512-byte alignment, zeroes, discard'
qemu-io -f raw "$uri" -c 'write -P 7 0 1M' -c 'write -P 9 512 1024' -c 'write -P 3 1048064 1024' \
    -c 'read -P 7 0 512' -c 'read -P 9 512 1024' -c 'read -P 7 1536 2560' \
    -c 'read -P 3 1048064 1024' -c 'write -z 4096 8192' -c 'read -P 0 4096 8192' \
    -c 'discard 64k 128k' -c 'read -P 0 64k 128k' -c 'read -P 7 192k 64k' -c flush |
    tee "$CIO_TEST_DIR/qemu-io"
! grep -qiE 'fail|error' "$CIO_TEST_DIR/qemu-io"

testing 'nbdcopy: there and back is the same'
head -c 64M /dev/urandom >"$CIO_TEST_DIR/image"
nbdcopy "$CIO_TEST_DIR/image" "$uri"
nbdcopy "$uri" "$CIO_TEST_DIR/back"
cmp --bytes=64M "$CIO_TEST_DIR/back" "$CIO_TEST_DIR/image"

testing 'nbdsh: FUA, flush, and requests out of range'
nbd_shell -u "$uri" -c 'h.pwrite(b"x" * 4096, 8192, nbd.CMD_FLAG_FUA)' -c 'h.flush()' \
    -c 'assert h.pread(4096, 8192) == b"x" * 4096'
nbd_shell -u "$uri" -c 'h.set_strict_mode(0)' -c '
try:
    h.pread(4096, h.get_size())
    raise SystemExit("a read behind the end was answered")
except nbd.Error as error:
    assert error.errno == "EINVAL", error
try:
    h.pwrite(b"x" * 512, h.get_size() - 256)
    raise SystemExit("a write over the end was answered")
except nbd.Error as error:
    assert error.errno in ("ENOSPC", "EINVAL"), error
assert h.pread(512, 0)'

testing 'fio: random writes at depth 32, verified'
fio --name=verify --ioengine=nbd --uri="$uri" --rw=randwrite --bs=4k --iodepth=32 --size=64M \
    --verify=crc32c --verify_fatal=1 --output-format=terse >/dev/null

testing 'over TCP: the same volume, and a client that dies lets go of it'
address=$(cio playground status --dir "$cluster" --json | jq -r '.[0].ip')
nbdinfo --size "nbd://$address:10809/db" >"$CIO_TEST_DIR/size"
same "$(<"$CIO_TEST_DIR/size")" $((1 << 30))
qemu-io -f raw "nbd://$address:10809/db" -c 'write -P 5 1M 64k' -c 'read -P 5 1M 64k' -c flush |
    tee "$CIO_TEST_DIR/qemu-io"
! grep -qiE 'fail|error' "$CIO_TEST_DIR/qemu-io"
nbd_shell -u "nbd://$address:10809/db" -c 'import os, signal' \
    -c 'os.kill(os.getpid(), signal.SIGKILL)' || true
eventually 30 is_detached db

testing 'the volume is free again, and its copies are equal'
eventually 10 is_healthy db
compare_copies db
