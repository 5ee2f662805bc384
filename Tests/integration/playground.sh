#!/usr/bin/env bash
# The playground survives its own death at any point, and leaves nothing behind.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

nothing_left() {
    [ -z "$(mounts_below "$cluster")" ] && [ -z "$(loops_below "$cluster")" ] &&
        [ ! -e "$cluster" ]
}

testing 'up, twice; other settings are refused'
up --nodes 3
cio playground up --nodes 3 --dir "$cluster"
refused cio playground up --nodes 4 --dir "$cluster"
same "$(cio playground status --dir "$cluster" | grep -c ' normal ')" 3

testing 'everything of a node lies in its own folder'
cio volume create db -c 1 -l 2 -n v2
cio volume attach db -n v2 --mount
for path in v2/run/cio.sock v2/run/nbd.sock v2/dev/vd1 v2/volumes/vd1 v2/drive; do
    [ -e "$cluster/$path" ] || fail "$path is missing"
done
same "$(stat -c %a "$cluster/v2/run")" 700
same "$(stat -c %a "$cluster/v2/run/cio.sock")" 600
same "$(stat -c %a "$cluster/v2/run/nbd.sock")" 600

testing 'env points cio at a node'
same "$(eval "$(cio playground env v2 --dir "$cluster")" && cio version | awk '/^ciod/ { print $4 }')" v2

testing 'a dead node takes what uses its volumes along'
(cd "$cluster/v2/volumes/vd1" && exec sleep 600) &
user=$!
eventually 5 test "/proc/$user/cwd" -ef "$cluster/v2/volumes/vd1"
cio playground kill v2 --dir "$cluster"
! kill -0 "$user" 2>/dev/null || ! [ -d "/proc/$user/fd" ] || ! wait "$user"
! mounts_below "$cluster/v2" | grep .
refused cio playground kill v2 --dir "$cluster"
cio playground start v2 --dir "$cluster"
refused cio playground start v2 --dir "$cluster"

testing 'a lost boot is another boot'
cio playground kill v3 --lost-power --dir "$cluster"
[ -s "$cluster/v3/boot-id" ]
cio playground start v3 --dir "$cluster"

testing 'down, after an up that was killed half way'
cio playground down --dir "$cluster"
nothing_left || fail "something is left: $(mounts_below "$cluster") $(ls -A "$cluster")"
cio playground up --nodes 4 --dir "$cluster" >/dev/null &
victim=$!
sleep 0.2
kill -KILL "$victim"
wait "$victim" 2>/dev/null || true
cio playground up --nodes 4 --dir "$cluster"
cio playground down --dir "$cluster"
nothing_left || fail "something is left: $(mounts_below "$cluster") $(ls -A "$cluster")"

testing 'wrong words'
refused cio playground down --dir "$cluster"
refused cio playground kill v1 --dir "$cluster"
refused cio playground up --nodes 0 --dir "$cluster"
refused cio playground up --nodes 17 --dir "$cluster"
refused cio playground up --engine steam --dir "$cluster"
refused cio playground up --rebuild-delay -1 --dir "$cluster"
