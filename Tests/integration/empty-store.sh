#!/usr/bin/env bash
# An empty metadata store beside drives full of replicas deletes nothing.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

up --nodes 3
cio volume create db -c 1 -l 3 -n v1
cio volume attach db --mount
head -c 8M /dev/urandom >"$(field db directory)/junk"
cio volume detach db

three_strange_copies() { [ "$(events_like ':2106$')" -ge 3 ]; }
# Of what the copies' files hold, without reading their holes.
checksum() {
    local file
    for file in "$cluster"/v*/drive/replicas/*/data; do
        tar --create --sparse --absolute-names --mtime=@0 "$file" | sha256sum
    done
}

copies_are_untouched() { checksum | cmp - "$CIO_TEST_DIR/before"; }

kill_all() { for node in v1 v2 v3; do cio playground kill "$node" --dir "$cluster"; done; }

testing 'the store forgets all volumes while the nodes are down'
kill_all
checksum >"$CIO_TEST_DIR/before"
same "$(wc -l <"$CIO_TEST_DIR/before")" 3
/usr/bin/python3 -c 'import sqlite3, sys
store = sqlite3.connect(sys.argv[1])
gone = store.execute("DELETE FROM entries WHERE substr(key, 1, 12) = ?", (b"cio/volumes/",))
assert gone.rowcount >= 4, gone.rowcount
store.commit()' "$cluster/store/metadata.sqlite"

testing 'the nodes start, know of no volume, and delete no copy'
for node in v1 v2 v3; do cio playground start "$node" --dir "$cluster"; done
same "$(cio volume ls | wc -l)" 1
# Each has looked at its drive, and says what it has found there.
eventually 30 three_strange_copies
# Long enough for every control loop to have looked several times.
sleep 8
copies_are_untouched

testing 'the store is lost while all nodes are down'
kill_all
rm "$cluster"/store/*

testing 'the nodes start with an empty one, or refuse to; the copies stay'
for node in v1 v2 v3; do cio playground start "$node" --dir "$cluster" || true; done
sleep 8
copies_are_untouched
