# Sourced after integration.sh: a real Docker engine with namespaces of its own, beside any other
# engine of the machine, and without a network.

docker_home=$CIO_TEST_DIR/docker

# Runs the script $1 again in mount, network and process namespaces of its own, with a /run of its
# own, and ends with its status; goes on where that has been done. All that is started inside ends
# with the first process there.
in_docker_namespaces() {
    if [ -n "${CIO_IN_NAMESPACES-}" ]; then
        mount --make-rshared /
        mount -t tmpfs -o mode=755 tmpfs /run
        mkdir -p /run/docker/plugins /run/lock
        ip link set lo up
        mount -t tmpfs -o mode=755 tmpfs /etc/docker
        return
    fi
    local program status=0
    for program in /usr/sbin/dockerd /usr/bin/docker /usr/bin/containerd /bin/busybox ip jq curl etcd; do
        command -v "$program" >/dev/null || lacks "$program is not installed"
    done
    mkdir -p /etc/docker
    remove_docker_leftovers
    export CIO_TEST_DIR CIO_IN_NAMESPACES=1
    unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
        bash "$@" || status=$?
    # What is left is looked at by those inside.
    trap - EXIT
    remove_docker_leftovers
    clear_mounts "$CIO_TEST_DIR"
    exit "$status"
}

# Docker looks for drivers in its own folder and by files like this one: the driver's socket is $1.
point_docker_at() {
    mkdir -p /etc/docker/plugins
    say "unix://$1" >/etc/docker/plugins/cio.spec
}

docker() { /usr/bin/docker -H unix:///run/docker.sock "$@"; }

# What the engine leaves in the kernel besides processes and mounts: control groups.
remove_docker_leftovers() {
    find /sys/fs/cgroup -depth -type d -path "*$docker_cgroup*" -exec rmdir {} + 2>/dev/null || true
}
docker_cgroup=/cio-test-docker

# Into the file $1; its state is kept in $2.
write_containerd_settings() {
    cat >"$1" <<EOF
version = 2
root = "$2"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
address = "/run/containerd/containerd.sock"
EOF
}

# The engine keeps its state below the test's folder, and finds it there again.
start_docker() {
    mkdir -p "$docker_home"
    point_docker_at "$cluster/v1/run/docker.sock"
    if [ ! -S /run/containerd/containerd.sock ]; then
        write_containerd_settings "$docker_home/containerd.toml" "$docker_home/containerd"
        setsid -f /usr/bin/containerd -c "$docker_home/containerd.toml" \
            </dev/null >>"$docker_home/containerd.log" 2>&1
        eventually 20 test -S /run/containerd/containerd.sock
    fi
    rm -f "$docker_home/pid"
    setsid -f /usr/sbin/dockerd --data-root "$docker_home/data" --exec-root /run/docker \
        --pidfile "$docker_home/pid" -H unix:///run/docker.sock \
        --containerd /run/containerd/containerd.sock --cgroup-parent "$docker_cgroup" \
        --bridge none --iptables=false --ip6tables=false --ip-forward=false \
        </dev/null >>"$docker_home/dockerd.log" 2>&1
    eventually 30 docker version
    # An image stays with the engine's state.
    docker image inspect bb >/dev/null 2>&1 ||
        docker import -c 'CMD ["/bin/sh"]' "$docker_home/bb.tar" bb >/dev/null
}

docker_is_gone() { ! kill -0 "$1" 2>/dev/null; }

# SIGTERM: containers are stopped, volumes unmounted.
end_docker() { signal_docker TERM; }
# SIGKILL: containers run on until the next start.
kill_docker() { signal_docker KILL; }

signal_docker() {
    local pid
    pid=$(<"$docker_home/pid")
    kill "-$1" "$pid"
    eventually 30 docker_is_gone "$pid"
}

# A busybox, packed as an image's files.
make_image() {
    local tree=$docker_home/tree name
    mkdir -p "$tree"/{bin,etc,tmp,data,srv,proc,sys,dev}
    cp /bin/busybox "$tree/bin/"
    for name in $(/bin/busybox --list); do
        [ "$name" = busybox ] || ln -sf busybox "$tree/bin/$name"
    done
    say root:x:0:0:root:/:/bin/sh >"$tree/etc/passwd"
    say hello >"$tree/srv/page"
    tar -C "$tree" -cf "$docker_home/bb.tar" .
}
