#!/usr/bin/env bash
# Network cables are unplugged under load. An owner that nobody hears loses its volume to another
# node, and nothing that it still has to write reaches a copy; a copy that nobody hears is given
# up and made again; a cut too short for anybody to be given up costs nothing.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v ip >/dev/null || lacks 'iproute2 is not installed'
command -v etcd >/dev/null || lacks 'etcd-server is not installed'
/usr/bin/python3 -c 'import nbd' 2>/dev/null || lacks 'python3-libnbd is not installed'
unshare --net --mount true 2>/dev/null || lacks 'this machine lets nobody make namespaces'
book=$CIO_TEST_DIR/book

ledger() {
    /usr/bin/python3 "$root/Tests/integration/ledger.py" "$1" "$(nbd_uri "$2" db)" "$book" "${@:3}"
}
answered() { grep -c '^done' "$book" || true; }
answers() { [ "$(answered)" -ge "$1" ]; }
all_normal() { [ "$(cio node ls | grep -c ' normal')" = 4 ]; }
cut_off() { cio playground cut "$1" --dir "$cluster"; }
plug_in() { cio playground uncut "$1" --dir "$cluster"; }
# The nodes that have a copy in sync.
holders() { cio volume info db | awk '$3 " " $4 == "in sync" { print $1 }'; }

# `mute NODE`: what v1 and its peer send to each other goes to nobody in the one direction, from
# NODE, and arrives in the other. `cut NODE`: both.
begin_short() {
    if [ "$1" = cut ]; then cut_off "$2"; return; fi
    cio playground exec "$2" --dir "$cluster" -- ip neigh replace "$(opposite "$2")" \
        lladdr 02:00:00:00:00:01 nud permanent dev eth0
}
end_short() {
    if [ "$1" = cut ]; then plug_in "$2"; return; fi
    cio playground exec "$2" --dir "$cluster" -- ip neigh del "$(opposite "$2")" dev eth0
}
opposite() { if [ "$1" = v1 ]; then address "$peer"; else address v1; fi; }
address() { cio playground status --dir "$cluster" | awk -v node="$1" '$1 == node { print $2 }'; }

up --nodes 4 --namespaces --etcd --rebuild-delay 2 --liveness 4
cio volume create db -c 1 -l 3 -n v2 --copies-on v2,v1,v3

testing 'the owner is cut off under load: it is given up, and answers nobody'
: >"$book"
ledger write v2 600 >"$CIO_TEST_DIR/old" &
old=$!
eventually 30 answers 1000
before=$(field db epoch)
cut_off v2
eventually 30 status_is v2 maintenance
last=$(answered)

testing 'attached at another node it is there, with all that was acknowledged'
# From here on the old owner's client has its book, and those of the new one have theirs.
old_book=$book
book=$CIO_TEST_DIR/next
cp "$old_book" "$book"
eventually 20 cio volume attach db -n v1
owner_is db v1 || fail "the owner is $(field db node)"
[ "$(field db epoch)" -gt "$before" ] || fail "the epoch has not grown from $before"
event_tells 'volume db .* owner node v1 after v2, which is locked out.*:1104$'
ledger check v1

testing 'the new owner is written to; at the old one nothing is answered'
ledger write v1 3
kill -0 "$old" || fail "the old owner's client has ended: $(<"$CIO_TEST_DIR/old")"
at v2
refused timeout 60 cio volume attach db -n v2
at v1

testing 'plugged in: the old owner is refused, its client gets errors, it comes back by itself'
plug_in v2
status=0
wait "$old" || status=$?
same "$status" 3
same "$(grep -c '^done' "$old_book")" "$last"
eventually 30 status_is v2 normal
eventually 30 event_tells 'old owner (refused by the copy on node|node .* locked out).*:2103$'
owner_is db v1 || fail "the owner is $(field db node)"

testing 'its late writes are in no copy, and the redundancy is back'
eventually 60 is_healthy db
ledger check v1
compare_copies db

testing 'a copy is cut off under load: it is given up, and made elsewhere; the client goes on'
copy=$(holders | grep -vx v1 | head -n 1)
ledger write v1 30 >"$CIO_TEST_DIR/client" &
client=$!
eventually 30 answers $(($(answered) + 500))
cut_off "$copy"
eventually 30 status_is "$copy" maintenance
eventually 30 event_tells ": copy on node $copy left the copies in sync.*:2102\$"
eventually 30 answers $(($(answered) + 500))
eventually 60 is_healthy db
! holders | grep -qx "$copy" || fail "the copy on $copy counts as in sync"
plug_in "$copy"
eventually 30 all_normal
wait "$client" || fail "the client lost its volume: $(<"$CIO_TEST_DIR/client")"
eventually 60 is_healthy db
ledger check v1
compare_copies db

testing 'cuts shorter than the liveness time, in one direction and in both: nobody is given up'
peer=$(holders | grep -vx v1 | head -n 1)
given_up=$(events_like ':2101$')
epoch=$(field db epoch)
ledger write v1 12 >"$CIO_TEST_DIR/client" &
client=$!
eventually 30 answers $(($(answered) + 500))
for short in 'mute v1' "mute $peer" 'cut v1'; do
    begin_short $short
    # The length of the cut.
    sleep 1
    end_short $short
    eventually 30 answers $(($(answered) + 500))
done
wait "$client" || fail "the client lost its volume: $(<"$CIO_TEST_DIR/client")"
all_normal || fail "$(cio node ls)"
same "$(events_like ':2101$')" "$given_up"
owner_is db v1 || fail "the owner is $(field db node)"
say "   epoch $epoch before, $(field db epoch) after"
eventually 60 is_healthy db
ledger check v1
compare_copies db
