#!/usr/bin/env bash
# A service of three tasks, each with a volume of its own by its slot: a node's power cut moves the
# tasks that were there, each back to its own volume, and leaves the others alone.
# usage: slots.sh [ROUNDS]
source "$(dirname "$0")/../../scripts/lib/integration.sh"
source "$root/scripts/lib/docker.sh"
source "$root/scripts/lib/swarm.sh"
source "$root/scripts/lib/swarm-services.sh"

in_docker_namespaces "$root/Tests/docker/slots.sh" "$@"

rounds=${1:-1}

task_of() { running_task "web.$1"; }
all_run() { [ "$(running web | wc -l)" = 3 ]; }

# Each slot runs, with its own ledger on its own volume, and no other's.
slots_are_whole() {
    local slot task node
    eventually 90 all_run
    for slot in 1 2 3; do
        read -r task node < <(running "web.$slot")
        eventually 30 has_answers "$task" 20
        ledger_is_whole "$task" "$node" "web/$slot"
        cut -d' ' -f1 "$swarm/ledger" | sort -u >"$swarm/writers"
        ls "$answers/web/$slot" | sort | comm -13 - "$swarm/writers" >"$swarm/strangers"
        [ ! -s "$swarm/strangers" ] || fail "tasks of other slots wrote to web-$slot"
    done
    same "$(cio volume ls | awk '$2 ~ /^vd/ { print $NF }' | sort | tr '\n' ' ')" \
        'web-1 web-2 web-3 '
}

swarm_up
testing 'three tasks, three volumes'
make_ledger_service web \
    'source={{.Service.Name}}-{{.Task.Slot}},volume-driver=cio,volume-opt=capacity=1' --replicas 3
slots_are_whole
for ((round = 0; round < rounds; round++)); do
    slot=$((round % 3 + 1))
    victim=$(running "web.$slot" | cut -d' ' -f2)
    testing "power cut of $victim, where the task of slot $slot runs"
    others=$(running web | grep -v " $victim\$" | sort)
    for each in 1 2 3; do eventually 60 is_healthy "web-$each"; done
    cut_power "$victim"
    eventually 90 runs_elsewhere "web.$slot" "$victim"
    at "$(running "web.$slot" | cut -d' ' -f2)"
    slots_are_whole
    running web | sort | comm -23 <(say "$others") - >"$swarm/moved"
    [ ! -s "$swarm/moved" ] || fail "other tasks were disturbed: $(<"$swarm/moved")"
    for each in 1 2 3; do eventually 60 is_healthy "web-$each"; done
    boot_node "$victim"
    eventually 60 is_ready "$victim"
done
testing 'the service ends; its volumes stay, each with equal copies'
in_swarm service rm web >/dev/null
for each in 1 2 3; do copies_are_equal "web-$each" 2; done
