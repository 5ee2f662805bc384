#!/usr/bin/env bash
# A Swarm service that keeps a ledger on its volume, while its node is broken in every way in which
# a node can be: the service runs elsewhere, the ledger has no hole, nothing late is written, and
# everything heals by itself. Beside it runs the same service on a plain local volume: Docker's own
# time.
# usage: failover.sh [ROUNDS [KIND...]]     each kind of failure, or those named, once in a round
source "$(dirname "$0")/../../scripts/lib/integration.sh"
source "$root/scripts/lib/docker.sh"
source "$root/scripts/lib/swarm.sh"
source "$root/scripts/lib/swarm-services.sh"

in_docker_namespaces "$root/Tests/docker/failover.sh" "$@"

rounds=${1:-1}
kinds=("${@:2}")
[ ${#kinds[@]} -gt 0 ] || kinds=(power_cut network_cut dockerd_killed drain)
# The node of the next failure: all of them in turn, the one that leads the Swarm last.
victims=(n3 n2 n4 n3 n2 n4 n1)
next=0

# Both services run at the next node, and the ledger grows; `victim` is about to break.
begin() {
    victim=${victims[next++ % ${#victims[@]}]}
    testing "$1 of $victim"
    place_services "$victim" ledger plain
    old_task=$(running_task ledger)
    eventually 10 has_answers "$old_task" 20
    eventually 60 is_healthy db
    former_events=$(cio events -n 10000 | wc -l)
    broken_ms=$(now_ms)
}

# What is told since then.
tells() { cio events -n 10000 | tail -n "+$((former_events + 1))" | grep -E -- "$1"; }

# Both services run elsewhere, with every record. $1: the kind of failure.
moved() {
    eventually 90 runs_elsewhere ledger "$victim"
    eventually 90 runs_elsewhere plain "$victim"
    read -r new_task new_node < <(running ledger)
    at "$new_node"
    eventually 30 has_answers "$new_task" 20
    report "$1" $(($(running_since "$new_task") - broken_ms)) \
        $(($(running_since "$(running_task plain)") - broken_ms))
    same "$(cio volume ls | awk '$NF == "db" { print $1 }')" "$new_node"
}

report() {
    printf '   time: %s of %s: Running elsewhere after %d.%01d s, with a local volume %d.%01d s\n' \
        "$1" "$victim" $(($2 / 1000)) $(($2 % 1000 / 100)) $(($3 / 1000)) $(($3 % 1000 / 100))
}

# The node is back, and everything as it was before.
heal() {
    eventually 60 is_ready "$victim"
    eventually 60 is_healthy db
    ledger_is_whole "$new_task" "$new_node" ledger/1
    end_services ledger plain
    copies_are_equal db 2
}

power_cut() {
    begin 'power cut'
    cut_power "$victim"
    moved 'power cut'
    # A node with a copy owns it at once; the service may be started at another one.
    eventually 20 tells "node .* failover completed\..*:1019"
    eventually 20 tells "epoch [0-9]* to [0-9]*, owner node n[0-9] after $victim, which is locked out:1104"
    eventually 20 tells "volume db \(vd1\) created on node $(field db nodeid):1009"
    eventually 60 is_healthy db
    boot_node "$victim"
    heal
}

# The container of an old task still runs; what it writes is refused from now on, and told so.
late_writes_are_refused() {
    local answered
    eventually 30 has_failed "$old_task"
    answered=$(said "$old_task" | awk '$1 == "failed" { failed = 1 } failed && $1 == "done"')
    [ -z "$answered" ] || fail "acknowledged after a failure: $answered"
}

# The old container runs on, and knows nothing.
network_cut() {
    local answered
    begin 'network cut'
    cut_network "$victim"
    moved 'network cut'
    [ -n "$(processes_of "$old_task")" ] || fail 'the old container has ended'
    answered=$(said "$old_task" | wc -l)
    eventually 60 is_healthy db
    same "$(said "$old_task" | wc -l)" "$answered"
    mend_network "$victim"
    late_writes_are_refused
    eventually 20 tells "old owner node .* locked out, epoch [0-9]* to [0-9]*.*:2103"
    eventually 20 tells "vd1 is torn down on node .*; its users here get errors:2120"
    heal
}

# The old container runs on, and nobody is there who could end it.
dockerd_killed() {
    begin 'death of dockerd'
    kill_dockerd "$victim"
    moved 'death of dockerd'
    [ -n "$(processes_of "$old_task")" ] || fail 'the old container has ended'
    late_writes_are_refused
    eventually 20 tells "taken from its users on node .*, whose container engine is gone.*:2122"
    start_dockerd "$victim"
    heal
}

drain() {
    begin drain
    in_swarm node update --availability drain "$victim" >/dev/null
    moved drain
    ! has_failed "$old_task" || fail 'a task that was asked to end had an error'
    ! tells ':2103$' || fail 'an owner was locked out'
    in_swarm node update --availability active "$victim" >/dev/null
    heal
}

swarm_up
make_ledger_service ledger 'source=db,volume-driver=cio,volume-opt=capacity=1,volume-opt=level=2' \
    "${at_home[@]}"
make_ledger_service plain 'source=plain' "${at_home[@]}"
for ((round = 1; round <= rounds; round++)); do
    [ "$rounds" = 1 ] || testing "round $round of $rounds"
    for kind in "${kinds[@]}"; do "$kind"; done
done
