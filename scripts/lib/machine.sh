# Sourced after integration.sh: a small Debian in a folder, and a machine that runs it, in namespaces
# of its own: files without Swift, and a real systemd that is not the host's.

tree=$CIO_TEST_DIR/tree
machine=

# The release of this machine, from the archive that its apt uses.
make_tree() {
    local codename mirror
    codename=$(. /etc/os-release && say "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' |
        awk -v release="$codename" '$1 == release && $2 == "main" { print $3; exit }')
    [ -n "$mirror" ] || lacks "apt has no archive of Debian $codename"
    curl -sfI --max-time 20 "${mirror%/}/dists/$codename/InRelease" >/dev/null ||
        lacks "the archive $mirror does not answer"
    # It ends with the `sync` of the whole machine, and waits for what others do there.
    mkdir -p "$CIO_TEST_DIR/bin"
    ln -sf /bin/true "$CIO_TEST_DIR/bin/sync"
    PATH=$CIO_TEST_DIR/bin:$PATH \
        debootstrap --variant=minbase --include=systemd,dbus "$codename" "$tree" "$mirror" \
        >"$CIO_TEST_DIR/debootstrap.log" 2>&1 ||
        fail "debootstrap: $(tail -n 1 "$CIO_TEST_DIR/debootstrap.log")"
}

in_tree() { DEBIAN_FRONTEND=noninteractive LC_ALL=C chroot "$tree" "$@" </dev/null; }

cgroups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
cgroup=$cgroups/cio-test-machine

# Starts the machine with the given first process.
boot() {
    [ -n "$cgroups" ] || lacks 'no cgroup2 is mounted'
    mkdir -p "$cgroup"
    (
        echo "$BASHPID" >"$cgroup/cgroup.procs"
        exec unshare --cgroup --mount --pid --net --uts --ipc --fork --kill-child \
            "$root/scripts/lib/boot-machine" "$tree" "$@" </dev/null >"$CIO_TEST_DIR/boot.log" 2>&1
    ) &
    booted=$!
    eventually 10 has_child "$booted"
    machine=$(children "$booted")
    eventually 20 machine_runs "$1"
}

children() { cat "/proc/$1/task/$1/children" | tr -d ' '; }
has_child() { [ -n "$(children "$1")" ]; }
# Until then it is still the shell that prepares it.
machine_runs() { [ "$(cat "/proc/$machine/comm")" = "$(basename "$1")" ]; }

# Runs a command in the machine; one that hangs fails.
inside() {
    timeout 60 nsenter -t "$machine" --mount --pid --net --uts --ipc --cgroup --root --wd \
        env -u CIO_HOST PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C \
        "$@" </dev/null
}

machine_is_off() { ! kill -0 "$booted" 2>/dev/null; }

# Waits for its end, and takes away what it leaves in the kernel: control groups.
machine_ends() {
    eventually 60 machine_is_off
    machine=
    find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null || true
}

# As from its own keyboard. The machine may be off before the one who asked has heard so.
power_off() {
    inside systemctl poweroff || true
    machine_ends
}

# Whatever happens. Disks that were in use are detached first, if it still can.
remove_machine() {
    [ -n "$machine" ] || return 0
    inside sh -c '[ ! -e /usr/lib/cio/ciod ] ||
        start-stop-daemon --stop --quiet --oknodo --retry INT/20 --exec /usr/lib/cio/ciod' || true
    kill -KILL "$machine" 2>/dev/null || true
    machine_ends
}
