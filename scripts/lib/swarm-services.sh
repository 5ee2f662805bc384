# Sourced after swarm.sh: services of a Swarm that keep a ledger on a volume, and what is to be
# true of them.
#
# Each task appends a record "TASK NUMBER" to the ledger on its volume, has it fsynced, and then
# says so in a file of its own on the machine that all nodes share, SERVICE/SLOT/TASK: whatever was
# said there is acknowledged, and has to be in the ledger for ever.

answers=$swarm/answers

# For a busybox. A task that is asked to end does so between two records.
writer='
trap "exit 0" TERM
mkdir -p /answers/$SLOT
n=0
while :; do
    n=$((n + 1))
    if echo "$TASK $n" | dd of=/data/ledger oflag=append conv=notrunc,fsync 2>/dev/null; then
        echo "done $n"
    else
        echo "failed $n"
    fi >>/answers/$SLOT/$TASK
    sleep 0.02
done'

# Makes the service $1, whose tasks write their ledgers to the volumes that the mount option $2
# describes; $3…: more options.
make_ledger_service() {
    local name=$1 volume=$2
    shift 2
    mkdir -p "$answers/$name"
    docker_at n1 service create --detach --name "$name" --network host \
        --env 'TASK={{.Task.ID}}' --env 'SLOT={{.Task.Slot}}' \
        --mount "type=volume,target=/data,$volume" \
        --mount "type=bind,source=$answers/$name,target=/answers" "$@" \
        bb:1 sh -c "$writer" >/dev/null
}

# For services that are placed: no task yet, and then on nodes with the label `home`.
at_home=(--replicas 0 --constraint node.labels.home==yes)

# Starts one task of each service $2… at the node $1; from then on they may go anywhere.
place_services() {
    local home=$1 node service
    shift
    for node in "${nodes[@]}"; do in_swarm node update --label-add home=no "$node" >/dev/null; done
    in_swarm node update --label-add home=yes "$home" >/dev/null
    for service in "$@"; do in_swarm service scale --detach "$service=1" >/dev/null; done
    for service in "$@"; do eventually 60 runs_at "$service" "$home"; done
    for node in "${nodes[@]}"; do
        in_swarm node update --label-add home=yes "$node" >/dev/null
    done
}

end_services() {
    local service
    for service in "$@"; do in_swarm service scale --detach "$service=0" >/dev/null; done
    for service in "$@"; do eventually 60 has_no_task "$service"; done
}

# "TASK NODE" of the tasks of the service $1, or of one slot SERVICE.SLOT, that run now, and are
# meant to.
running() {
    in_swarm service ps --no-trunc --filter desired-state=running \
        --filter "name=$1" --format '{{.ID}} {{.Node}} {{.CurrentState}}' "${1%%.*}" |
        awk '$3 == "Running" { print $1, $2 }'
}
running_task() { running "$1" | cut -d' ' -f1; }
runs_at() { [ "$(running "$1" | cut -d' ' -f2)" = "$2" ]; }
runs_elsewhere() { running "$1" | grep -qv " $2\$"; }
has_no_task() {
    local states
    states=$(in_swarm service ps --format '{{.CurrentState}}' "$1")
    ! grep -qE '^(Running|Starting|Preparing)' <<<"$states"
}

# When the task $1 was running, in milliseconds since 1970, as its node has noted it.
running_since() {
    date -d "$(in_swarm inspect --format '{{.Status.Timestamp}}' "$1" |
        sed -E 's/^([^ ]+) ([^ ]+) .*/\1 \2 UTC/')" +%s%3N
}

# The container of the task $1, at the node $2.
container_of() {
    docker_at "$2" ps --quiet --filter "label=com.docker.swarm.task.id=$1"
}

# Whatever Docker knows of it.
processes_of() {
    local environ
    for environ in /proc/[0-9]*/environ; do
        grep -qzxF "TASK=$1" "$environ" 2>/dev/null && say "$environ"
    done
    return 0
}

# What the task $1 was answered.
said() { cat "$answers"/*/*/"$1" 2>/dev/null || true; }
has_answers() { [ "$(said "$1" | grep -c '^done')" -ge "$2" ]; }
has_failed() { said "$1" | grep -q '^failed'; }

# Every acknowledged record is in the ledger, and none was written after another task had begun.
# $1, $2: the task that runs, and its node; $3: its service and slot, SERVICE/SLOT.
ledger_is_whole() {
    local file
    # The answers first: what is answered meanwhile is no hole.
    for file in "$answers/$3"/*; do
        awk -v task="${file##*/}" '$1 == "done" { print task, $2 }' "$file"
    done | sort >"$swarm/answered"
    docker_at "$2" exec "$(container_of "$1" "$2")" cat /data/ledger >"$swarm/ledger"
    sort "$swarm/ledger" | comm -13 - "$swarm/answered" >"$swarm/holes"
    [ ! -s "$swarm/holes" ] || fail "acknowledged, but not in the ledger: $(head -n 5 "$swarm/holes")"
    awk '$1 != last { if ($1 in seen) { print NR ": " $0; exit 1 } seen[$1]; last = $1 }' \
        "$swarm/ledger" || fail 'a task has written after another one'
    say "   $(wc -l <"$swarm/answered") acknowledged records, all in the ledger"
}

# All copies of the volume $1, which nobody uses, byte for byte; $2 of them.
copies_are_equal() {
    eventually 20 is_detached "$1"
    eventually 60 has_copies "$1" "$2"
    cio-compare "$swarm"/n*/drive/replicas/"$(field "$1" id)"
}
is_detached() { [ "$(field "$1" isAttached)" = false ]; }
has_copies() {
    local found=("$swarm"/n*/drive/replicas/"$(field "$1" id)")
    [ ${#found[@]} = "$2" ]
}
