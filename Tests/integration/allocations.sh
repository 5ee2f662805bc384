#!/usr/bin/env bash
# No I/O allocates, once all is warm: a counter in every ciod, over 100,000 I/Os of each kind,
# against a client that connects as well, and does next to nothing for as long. What both have
# is control's, which works by the clock and with each connection.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v fio >/dev/null || lacks 'fio is not installed'
# Swift brings one along where there is no other.
compiler=$(command -v cc || command -v clang) || lacks 'there is no C compiler'

ios=100000
# 0.02 for each I/O: control's own go up and down by a thousand in such a time.
allocations_max=$((ios / 50))

counts=$CIO_TEST_DIR/counts
counter=$CIO_TEST_DIR/malloc-counter.so
mkdir -p "$counts"
"$compiler" -O2 -Wall -shared -fPIC -o "$counter" "$root/Tests/malloc-counter/counter.c"

# Allocations of all ciod together so far.
allocations() {
    local total=0 node
    for node in v1 v2 v3; do
        total=$((total + $(od -An -tu8 "$counts/$(pid_of "$node")")))
    done
    printf '%s' "$total"
}

# A client over NBD: 4 KiB each, 32 at a time.
client() {
    fio --name=work --ioengine=nbd --uri="$(nbd_uri v1 db)" --rw="$1" --bs=4k --iodepth=32 \
        --size=512M "${@:2}" --output-format=terse >"$CIO_TEST_DIR/fio" 2>&1
}

work() { client "$1" --io_size=$(($2 * 4096)); }
idle() { client "$1" --time_based --runtime="$2ms" --rate_iops=10; }

# Allocations during the command.
during() {
    local before
    before=$(allocations)
    "$@"
    printf '%s' $(($(allocations) - before))
}

LD_PRELOAD=$counter MALLOC_COUNTS=$counts cio playground up --nodes 3 --dir "$cluster" >/dev/null
at v1
cio volume create db -c 1 -l 3 -n v1

testing 'the counter counts'
[ "$(allocations)" -gt 1000 ] || fail 'ciod made no allocation at all'

testing 'every block is written once, and more: all is warm'
work write 131072
for kind in randwrite randread; do work "$kind" 50000; done

for kind in randwrite randread; do
    testing "$ios of $kind"
    began=$(now_ms)
    busy=$(during work "$kind" "$ios")
    quiet=$(during idle "$kind" $(($(now_ms) - began)))
    say "   $busy allocations meanwhile, $quiet in as long with next to no I/O"
    [ $((busy - quiet)) -le "$allocations_max" ] ||
        fail "$ios of $kind made $((busy - quiet)) allocations, more than $allocations_max"
done
