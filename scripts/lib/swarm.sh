# Sourced after integration.sh and docker.sh: a real Docker Swarm of four nodes on one machine, each
# with `ciod`, inside of what in_docker_namespaces makes.
#
# A node has network, mount, uts, ipc and process namespaces of its own, and in them a `/run`, a
# containerd, a dockerd, a `ciod` with a drive, and on the first three an etcd member and a manager
# of the Swarm. So the death of a node's first process is a power cut, and a cable that is pulled
# takes everything of the node along. All of it lies below $swarm and ends with the test's own
# namespaces.

swarm=$CIO_TEST_DIR/swarm
cluster=$swarm
docker_home=$swarm/image
docker_cgroup=/cio-test-swarm
nodes=(n1 n2 n3 n4)
# Those with an etcd member that are managers as well.
managers=(n1 n2 n3)

# A failure's log ends with what was there.
leave() {
    local status=$?
    trap - EXIT
    if [ "$status" != 0 ]; then
        tail -n 8 "$swarm"/n*/ciod.log || true
        tail -n 4 "$swarm"/n*/dockerd.log || true
        docker_at "$(manager)" node ls || true
        docker_at "$(manager)" service ls || true
        cio volume ls || true
        cio events -n 40 || true
    fi 2>&1
    exit "$status"
}

address_of() { say "10.77.0.$((10 + ${1#n}))"; }
home_of() { say "$swarm/$1"; }
# The first process of a node, as seen from here.
init_of() { cat "$swarm/$1/init.pid"; }
is_on() { [ -n "$(start_time "$(init_of "$1")")" ]; }
is_off_power() { ! is_on "$1"; }
at() { export CIO_HOST=$swarm/$1/run/cio.sock; }

# Runs a command inside a node.
inside() {
    local node=$1
    shift
    nsenter -t "$(init_of "$node")" -m -n -u -i -p -- "$@"
}

# Starts a process inside a node, which lives by itself; $2 names its log.
start_inside() {
    local node=$1 log=$swarm/$1/$2.log
    shift 2
    inside "$node" setsid -f "$@" </dev/null >>"$log" 2>&1
}

# Asks the Swarm, again while it has no leader; prints its answer.
in_swarm() {
    local answer deadline=$((SECONDS + 60))
    until answer=$(docker_at "$(manager)" "$@"); do
        [ "$SECONDS" -lt "$deadline" ] || fail "docker $*: the Swarm does not answer"
        sleep 0.2
    done
    say "$answer"
}

docker_at() {
    local node=$1
    shift
    /usr/bin/docker -H "unix://$swarm/$node/docker.sock" "$@"
}

# All nodes hang on one switch, a bridge in a namespace of its own.
make_switch() {
    ip netns add switch
    ip -n switch link set lo up
    ip -n switch link add bridge type bridge
    ip -n switch link set bridge up
}

wire_node() {
    local node=$1
    ip netns add "$node"
    ip link add "to-$node" netns switch type veth peer name eth0 netns "$node"
    ip -n switch link set "to-$node" master bridge up
    ip -n "$node" link set lo up
    ip -n "$node" addr add "$(address_of "$node")/24" dev eth0
    ip -n "$node" link set eth0 up
}

# The first process of a node: it reaps what others leave, and nothing outlives it.
be_node() {
    local node=$1 home=$2
    # A peer group of its own: what `ciod` mounts is seen by Docker, and by no other node.
    mount --make-rshared /
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir -p /run/docker/plugins /run/lock
    mount -t tmpfs -o mode=755 tmpfs /etc/docker
    hostname "$node"
    touch "$home/is-up"
    exec docker-init -s -- sleep infinity
}

# Switches a node on: the same disks and address, another boot.
boot_node() {
    local node=$1 home=$swarm/$1 starter
    mkdir -p "$home"/{state,run,dev,volumes,drive,data,containerd}
    # After a power loss nothing remembers the boot before.
    tr -d - </proc/sys/kernel/random/uuid >"$home/boot-id"
    rm -f "$home"/{is-up,init.pid,docker.sock,docker.pid}
    # Not `ip netns exec`, which hides the control groups.
    nsenter "--net=/run/netns/$node" unshare --mount --propagation private --uts --ipc --pid \
        --fork --mount-proc setsid bash -c "$(declare -f be_node)"'; be_node "$@"' be_node \
        "$node" "$home" </dev/null >>"$home/init.log" 2>&1 &
    starter=$!
    eventually 10 test -e "$home/is-up"
    tr -d ' ' <"/proc/$starter/task/$starter/children" >"$home/init.pid"
    start_etcd "$node"
    start_ciod "$node"
    start_containerd "$node"
    start_dockerd "$node"
}

start_etcd() {
    local node=$1 home=$swarm/$1 each peers=
    [[ " ${managers[*]} " == *" $node "* ]] || return 0
    for each in "${managers[@]}"; do peers+="${peers:+,}$each=http://$(address_of "$each"):2380"; done
    start_inside "$node" etcd etcd --name "$node" --data-dir "$home/etcd" \
        --listen-client-urls "http://$(address_of "$node"):2379" \
        --advertise-client-urls "http://$(address_of "$node"):2379" \
        --listen-peer-urls "http://$(address_of "$node"):2380" \
        --initial-advertise-peer-urls "http://$(address_of "$node"):2380" \
        --initial-cluster "$peers" --logger zap --log-level warn \
        --auto-compaction-mode revision --auto-compaction-retention 20000
}

# The URLs of the metadata service, the node's own member first.
etcd_urls() {
    local each urls=
    for each in "${managers[@]}"; do
        if [ "$each" = "$1" ]; then
            urls="http://$(address_of "$each"):2379${urls:+,}$urls"
        else
            urls+="${urls:+,}http://$(address_of "$each"):2379"
        fi
    done
    say "$urls"
}

# Started again when it ends by itself, as its unit for systemd does: etcd may come later.
start_ciod() {
    local node=$1 home=$swarm/$1
    start_inside "$node" ciod bash -c 'until "$@"; do sleep 0.3; done' ciod \
        "$bin/ciod" --name "$node" --state-dir "$home/state" --run-dir "$home/run" \
        --dev-dir "$home/dev" --volumes-dir "$home/volumes" --drive "$home/drive" \
        --address "$(address_of "$node")" --insecure-network --etcd "$(etcd_urls "$node")" \
        --rebuild-delay 5 --boot-id "$(<"$home/boot-id")"
}

start_containerd() {
    local node=$1 home=$swarm/$1
    write_containerd_settings "$home/containerd.toml" "$home/containerd"
    start_inside "$node" containerd /usr/bin/containerd -c "$home/containerd.toml"
    eventually 20 test -S "/proc/$(init_of "$node")/root/run/containerd/containerd.sock"
}

# One socket where `ciod` looks for it, one for us.
start_dockerd() {
    local node=$1 home=$swarm/$1
    # Docker looks for the driver once it is asked for a volume, and gives up after some seconds.
    eventually 30 test -S "/proc/$(init_of "$node")/root/run/docker/plugins/cio.sock"
    rm -f "$home/docker.pid"
    start_inside "$node" dockerd /usr/sbin/dockerd --data-root "$home/data" \
        --exec-root /run/docker --pidfile "$home/docker.pid" -H unix:///run/docker.sock \
        -H "unix://$home/docker.sock" --containerd /run/containerd/containerd.sock \
        --cgroup-parent "$docker_cgroup/$node"
    eventually 60 docker_at "$node" version
    # A Swarm gives a node tasks with a driver only when its engine has used it once.
    docker_at "$node" volume ls >/dev/null
}

# SIGKILL to the engine alone: containers run on.
kill_dockerd() {
    local pid
    pid=$(<"$swarm/$1/docker.pid")
    inside "$1" kill -KILL "$pid"
}

cut_power() {
    local loop connections
    mapfile -t connections < <(connections_below "$swarm/$1" "$(init_of "$1")")
    kill -KILL "$(init_of "$1")"
    abort_connections "${connections[@]}"
    eventually 30 is_off_power "$1"
    # The kernel is all nodes' own, and keeps what a real one would lose.
    for loop in $(loops_below "$swarm/$1"); do losetup -d "$loop"; done
}

cut_network() { ip -n switch link set "to-$1" down; }
mend_network() { ip -n switch link set "to-$1" up; }

# A manager that answers.
manager() {
    local node
    for node in "${managers[@]}"; do
        is_on "$node" && timeout 5 /usr/bin/docker -H "unix://$swarm/$node/docker.sock" node ls \
            >/dev/null 2>&1 && say "$node" && return
    done
    say "${managers[0]}"
}

# The nodes join one after the other; heartbeats of a second instead of five.
swarm_up() {
    local node token role
    trap leave EXIT
    [ -e "$docker_home/bb.tar" ] || make_image
    make_switch
    mkdir -p "$swarm"
    for node in "${nodes[@]}"; do wire_node "$node"; done
    for node in "${nodes[@]}"; do boot_node "$node" & done
    wait
    for node in "${nodes[@]}"; do
        is_on "$node" || fail "$node has not started: $(tail -n 3 "$swarm/$node"/*.log)"
        load_images "$node" &
    done
    wait
    # Addresses of networks that the Swarm makes: they exist in the nodes only.
    docker_at n1 swarm init --advertise-addr "$(address_of n1)" \
        --listen-addr "$(address_of n1):2377" --default-addr-pool 10.78.0.0/16 \
        --dispatcher-heartbeat 1s >/dev/null
    for node in "${nodes[@]:1}"; do
        role=worker
        [[ " ${managers[*]} " != *" $node "* ]] || role=manager
        token=$(docker_at n1 swarm join-token -q "$role")
        docker_at "$node" swarm join --token "$token" --advertise-addr "$(address_of "$node")" \
            --listen-addr "$(address_of "$node"):2377" "$(address_of n1):2377" >/dev/null
    done
    at n1
    for node in "${nodes[@]}"; do eventually 30 is_ready "$node"; done
}

# All that were made, each under its file's name.
load_images() {
    local file name
    for file in "$docker_home"/*.tar; do
        name=${file##*/}
        docker_at "$1" import -c 'CMD ["/bin/sh"]' "$file" "${name%.tar}:1" >/dev/null
    done
}

# A node serves: for the Swarm, and for volumes.
is_ready() {
    in_swarm node ls --format '{{.Hostname}} {{.Status}}' | grep -qx "$1 Ready" &&
        status_is "$1" normal
}
