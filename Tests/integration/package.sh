#!/usr/bin/env bash
# The Debian package on a Debian without Swift: installed, started, upgraded, stopped, removed and
# purged, without systemd and with one.
source "$(dirname "$0")/../../scripts/lib/integration.sh"
source "$root/scripts/lib/machine.sh"

for program in debootstrap dpkg-shlibdeps strip python3 curl ip; do
    command -v "$program" >/dev/null || lacks "$program is not installed"
done

# Messages of the machine last, when something fails.
finish() {
    local status=$?
    trap - EXIT
    if [ "$status" != 0 ] && [ -n "$machine" ]; then
        inside sh -c 'tail -n 20 /var/log/ciod.log; journalctl -u ciod -n 20 --no-pager' || true
    fi
    remove_machine
    exit "$status"
}
trap finish EXIT

# Everything but what others write (the package manager, systemd), and the drive.
files() { in_tree find / -xdev \( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \
    -o -path /srv -o -path /root -o -path /var/lib/systemd -o -path /tmp -o -path /var/tmp \
    -o -name __pycache__ \) -prune -o ! \( -type d -name '*.target.wants' \) -print | sort; }
# Nothing but what is named, one in each line, is there beside what there was in the beginning.
left_are() { same "$(files | comm -13 "$CIO_TEST_DIR/before" - | tr '\n' ' ')" "$*${1:+ }"; }
# What Debian's policy keeps until a purge: configuration, also which units are wanted, and state.
kept='/etc/cio /etc/cio/ciod.conf'
kept+=' /etc/systemd/system/multi-user.target.wants/ciod.service'
kept+=' /etc/systemd/system/sockets.target.wants/cio-docker.socket'
kept+=' /var/lib/cio /var/lib/cio/lock /var/lib/cio/metadata.sqlite /var/lib/cio/node-id'

answers() { inside cio info >/dev/null; }
is_mounted() { inside grep -q ' /cio/volumes/vd1 xfs ' /proc/mounts; }
is_clear() { ! inside grep -qE 'vd1|/run/cio' /proc/mounts; }
# The machine's own folders, in memory.
nothing_runs() {
    is_clear || fail 'a volume is still mounted'
    for path in /run/cio /dev/vdisk /cio; do
        ! inside test -e "$path" || fail "$path is still there: $(inside find "$path")"
    done
    for process in /proc/[0-9]*; do
        [[ $(readlink "$process/exe" 2>/dev/null) != /usr/lib/cio/* ]] || fail "$process still runs"
    done
}
a_volume() {
    inside cio volume create db -c 1 -l 1
    inside cio volume attach db --mount
    inside sh -c 'echo kept >/cio/volumes/vd1/file; sync /cio/volumes/vd1/file'
}
install() { inside dpkg -i "/root/$package"; }
ciod_pid() { inside systemctl show -P MainPID ciod.service; }
has_new_ciod() { is_active ciod.service && [[ $(ciod_pid) != "$1" ]]; }
is_active() { inside systemctl --quiet is-active "$@"; }

testing 'it is made, with what it needs of Debian'
"$root/scripts/package" --skip-build "$CIO_TEST_DIR"
deb=$(ls "$CIO_TEST_DIR"/cio_*.deb)
package=$(basename "$deb")
if command -v lintian >/dev/null; then lintian --fail-on error,warning "$deb"; fi
make_tree
cp "$deb" "$tree/root/"
needs=$(dpkg-deb -f "$deb" Depends | sed 's/([^)]*)//g; s/,/ /g')
in_tree apt-get -q -y install --no-install-recommends $needs >"$CIO_TEST_DIR/apt.log" 2>&1 ||
    fail "apt: $(tail -n 3 "$CIO_TEST_DIR/apt.log")"
files >"$CIO_TEST_DIR/before"

testing 'installed where no systemd runs: programs, manual, completions'
boot /bin/sleep infinity
install
same "$(files | grep -ic 'libswift\|libfoundation')" 0
same "$(inside ciod --version)" "$(cio --version 2>/dev/null || cio version | sed -n 's/^cio //p')"
for page in man1/cio.1 man8/ciod.8 man5/ciod.conf.5; do
    zcat "$tree/usr/share/man/$page.gz" | grep -q '^\.It ' || fail "$page explains nothing"
done
inside bash -n /usr/share/bash-completion/completions/cio
inside bash -c '. /usr/share/bash-completion/completions/cio; complete -p cio' >/dev/null
grep -q '^#compdef cio' "$tree/usr/share/zsh/vendor-completions/_cio"
grep -q 'complete -c .*cio' "$tree/usr/share/fish/vendor_completions.d/cio.fish"

testing 'a node with its defaults, and a drive named in the configuration file'
mkdir "$tree/srv/cio"
say 'drive = /srv/cio' >>"$tree/etc/cio/ciod.conf"
inside sh -c 'ciod >/var/log/ciod.log 2>&1 &'
eventually 20 answers
inside cio info
inside cio node ls | grep -q ' 127.0.0.1 .* normal'
eventually 10 a_volume

testing 'removed: the volume is taken down, and the configuration and the state stay'
inside dpkg -r cio
nothing_runs
left_are $kept

testing 'purged: all is gone but the copies on the drive'
inside dpkg --purge cio
left_are
[ -n "$(ls "$tree"/srv/cio/replicas)" ] || fail 'the copies are gone'
remove_machine
rm -rf "$tree/srv/cio"

testing 'installed where systemd runs: enabled and started'
boot /lib/systemd/systemd
eventually 30 inside systemctl --quiet is-active multi-user.target
install
is_active ciod.service cio-docker.socket
inside systemctl --quiet is-enabled ciod.service cio-docker.socket
inside systemd-analyze --man=no verify ciod.service cio-docker.socket
eventually 20 answers
mkdir "$tree/srv/cio"
say 'drive = /srv/cio' >>"$tree/etc/cio/ciod.conf"
inside systemctl restart ciod.service
eventually 20 answers
eventually 10 a_volume

testing 'upgraded under a program that writes: it waits, and no write fails'
cat >"$tree/root/write" <<'EOF'
while [ ! -e /run/enough ]; do
    echo line >>/cio/volumes/vd1/lines && sync /cio/volumes/vd1/lines || echo "$?" >>/run/errors
done
touch /run/ended
EOF
inside sh -c 'sh /root/write >/dev/null 2>&1 &'
grows() { [ "$(inside sh -c 'wc -l </cio/volumes/vd1/lines')" -gt "$1" ]; }
eventually 10 grows 5
before=$(ciod_pid)
install
[ "$(ciod_pid)" != "$before" ] || fail 'the old ciod still runs'
grep -q '^drive = /srv/cio$' "$tree/etc/cio/ciod.conf" || fail 'the configuration was replaced'
is_mounted || fail 'the volume is not mounted any more'
eventually 20 grows "$(inside sh -c 'wc -l </cio/volumes/vd1/lines')"
testing 'restarted, and killed: the same'
inside systemctl restart ciod.service
eventually 20 grows "$(inside sh -c 'wc -l </cio/volumes/vd1/lines')"
before=$(ciod_pid)
inside systemctl kill --kill-who=main --signal=KILL ciod.service
eventually 20 has_new_ciod "$before"
eventually 20 grows "$(inside sh -c 'wc -l </cio/volumes/vd1/lines')"
inside touch /run/enough
eventually 10 inside test -e /run/ended
! inside test -e /run/errors || fail "writes failed: $(inside cat /run/errors)"

testing 'calls of Docker wait in the socket, and start ciod'
call() { curl -sS --max-time 30 --unix-socket "/proc/$machine/root/run/docker/plugins/cio.sock" \
    -H 'Host;' -d "${2-}" "http://x/$1"; }
same "$(call Plugin.Activate)" '{"Err":"","Implements":["VolumeDriver"]}'
inside systemctl stop ciod.service
is_clear || fail 'stop has left a volume mounted'
same "$(call VolumeDriver.Capabilities)" '{"Capabilities":{"Scope":"global"},"Err":""}'
is_active ciod.service

testing 'upgraded while it is stopped: it stays so'
inside systemctl stop cio-docker.socket ciod.service
install
! is_active ciod.service || fail 'it was started'
inside systemctl start cio-docker.socket ciod.service

testing 'the machine is shut down and started: nothing hangs, and the file is there'
eventually 20 answers
inside cio volume attach db --mount
power_off
boot /lib/systemd/systemd
eventually 30 answers
inside cio volume attach db --mount
same "$(inside cat /cio/volumes/vd1/file)" kept

testing 'removed while a volume is mounted, and purged'
inside dpkg -r cio
nothing_runs
left_are $kept
inside dpkg --purge cio
left_are
[ -n "$(ls "$tree"/srv/cio/replicas)" ] || fail 'the copies are gone'
power_off
