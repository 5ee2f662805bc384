#!/usr/bin/env bash
# An empty metadata store beside drives full of replicas deletes nothing.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

up --nodes 3
cio volume create db -c 1 -l 3 -n v1
cio volume attach db --mount
head -c 8M /dev/urandom >"$(field db directory)/junk"
cio volume detach db

checksum() { find "$cluster"/v*/drive/replicas -name data -exec sha256sum {} + | sort; }

testing 'the store is lost while all nodes are down'
for node in v1 v2 v3; do cio playground kill "$node" --dir "$cluster"; done
checksum >"$CIO_TEST_DIR/before"
same "$(wc -l <"$CIO_TEST_DIR/before")" 3
rm "$cluster"/store/*

testing 'the nodes start with an empty one, or refuse to; the copies stay'
for node in v1 v2 v3; do cio playground start "$node" --dir "$cluster" || true; done
# Long enough for every control loop to have looked several times.
sleep 8
checksum | cmp - "$CIO_TEST_DIR/before"
