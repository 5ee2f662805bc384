#!/usr/bin/env bash
# A host with a Docker engine loses its power and comes back, at once and after others have taken
# its volume over: the container that is always restarted has its volume again, with everything
# that it was told is durable.
source "$(dirname "$0")/../../scripts/lib/integration.sh"
source "$root/scripts/lib/docker.sh"

in_docker_namespaces "$root/Tests/integration/docker-reboot.sh" "$@"

references() { jq -c "[.volumes[] | select(.name == \"$1\") | .ids | length] | add // 0" \
    "$cluster/v1/state/docker-references.json"; }
all_normal() { [ "$(cio node ls | grep -c ' normal')" = 3 ]; }
# The last number that the container was told is durable: only then it says it.
told() { docker logs writer 2>/dev/null | tail -n 1; }
tells_more() { [ "$(told)" -gt "$1" ]; }

# Whoever runs in these namespaces, but for cio's nodes, this script and what started it.
processes_of_host() {
    local pid own=" $$ $BASHPID $PPID 1 "
    for pid in /proc/[0-9]*; do
        pid=${pid#/proc/}
        [[ $own == *" $pid "* ]] && continue
        grep -qzE "^CIO_PLAYGROUND_NODE=$cluster/v[1-3]\$" "/proc/$pid/environ" 2>/dev/null && continue
        # What has no memory is of the kernel, or dead.
        [ -e "/proc/$pid/exe" ] && say "$pid"
    done
    return 0
}

engine_mounts() {
    awk -v home="$docker_home/" '
        index($5, home) == 1 || $5 ~ "^/run/(docker|containerd)/" { print $5 }
    ' /proc/self/mountinfo | tac
}

# Everything of the host ends at once, and its next boot is another one; its disks are kept.
lose_power() {
    local pids point
    mapfile -t pids < <(processes_of_host)
    kill -KILL "${pids[@]}" 2>/dev/null || true
    cio playground kill v1 --lost-power --dir "$cluster"
    engine_mounts | while read -r point; do umount -l "$point"; done
    # /run is empty at every boot.
    rm -rf /run/docker /run/containerd /run/docker.sock
    mkdir -p /run/docker/plugins
    remove_docker_leftovers
    [ -z "$(mounts_below "$cluster/v1")$(loops_below "$cluster/v1")" ] || fail 'something is mounted'
    [ -z "$(processes_of_host)" ] || fail "something runs: $(processes_of_host)"
}

# Every number in its line, none missing, up to at least the one that was told.
holds_up_to() {
    docker exec writer cat /data/numbers | awk -v told="$1" '
        $1 != NR { print "line " NR " holds " $0; bad = 1 }
        END {
            if (NR < told) print NR " lines, told were " told
            exit bad || NR < told
        }'
}

up --nodes 3 --liveness 6
make_image
start_docker
docker volume create -d cio --name db --opt capacity=1 --opt level=3
docker volume create -d cio --name left --opt capacity=1
docker run -d --network none --name writer --restart always -v db:/data bb sh -c '
    n=$(wc -l </data/numbers 2>/dev/null || echo 0)
    while :; do
        n=$((n + 1))
        echo $n | dd of=/data/numbers oflag=append conv=notrunc,fsync 2>/dev/null && echo $n
        sleep 0.02
    done'
docker run -d --network none --name never -v left:/data bb sleep 1000
eventually 20 tells_more 50

testing 'the host loses its power and is back before anybody has missed it'
last=$(told)
owner_is db v1 || fail "the owner is $(field db node)"
at v2
lose_power
cio playground start v1 --dir "$cluster"
start_docker
eventually 60 tells_more "$last"
holds_up_to "$last" || fail 'numbers are lost'
owner_is db v1 || fail "the owner is $(field db node)"
same "$(references db)" 1

testing 'what is not restarted has nothing there any more'
same "$(docker inspect -f '{{.State.Running}}' never)" false
same "$(references left)" 0
is_off() { [ "$(field "$1" isAttached)" = false ]; }
eventually 40 is_off left
docker start never
same "$(references left)" 1

testing 'it loses its power for so long that others have taken its volumes over'
last=$(told)
lose_power
eventually 30 status_is v1 maintenance
eventually 30 event_tells 'volume db .* owner node v[23] after v1, which is locked out.*:1104$'
cio playground start v1 --dir "$cluster"
start_docker
eventually 60 tells_more "$last"
holds_up_to "$last" || fail 'numbers are lost'
owner_is db v1 || fail "the owner is $(field db node)"
same "$(references db)" 1

testing 'the redundancy is back, and the copies are equal'
eventually 30 all_normal
docker rm -f writer never
eventually 10 is_off db
eventually 60 is_healthy db
compare_copies db
docker volume rm db left
end_docker
