#!/usr/bin/env bash
# One real Docker engine with its volumes from a node: created, used, shared, and found free again
# after every way in which an engine can end.
source "$(dirname "$0")/../../scripts/lib/integration.sh"
source "$root/scripts/lib/docker.sh"

in_docker_namespaces "$root/Tests/integration/docker-engine.sh" "$@"

# One call to the plugin of the node $1, as Docker would make it.
ask() { curl -sS --max-time 120 --unix-socket "$cluster/$1/run/docker.sock" -H 'Host;' -d "$3" "http://x/$2"; }
mount_at() { ask "$1" VolumeDriver.Mount "{\"Name\":\"$2\",\"ID\":\"$3\"}"; }

references() { jq -c "[.volumes[] | select(.name == \"$1\") | .ids | length] | add // 0" \
    "$cluster/v1/state/docker-references.json"; }
has_references() { [ "$(references "$1")" = "$2" ]; }
is_off() { [ "$(field "$1" isAttached)" = false ]; }
grows() { [ "$(docker exec "$1" cat /data/count)" -gt "$2" ]; }

run() { docker run --network none "$@"; }

up --nodes 3 --liveness 6
make_image
start_docker

testing 'create, ls, inspect; wrong options are refused by their names'
docker volume create -d cio --name db --opt capacity=1 --opt label=app=web
same "$(docker volume ls -q)" db
same "$(docker volume inspect -f '{{.Driver}} {{.Scope}} {{.Status.vdisk}} {{.Status.capacity}}' db)" \
    'cio global vd1 1GB'
same "$(field db redundancy)" 2
for option in colour=red capacity=ten level=4 filesystem=ntfs iopsmax=x profile=NONE interval=5 \
    'iopsmin=9 --opt iopsmax=8'; do
    output=$(docker volume create -d cio --name no --opt $option 2>&1) && fail "$option was taken"
    [[ ${output,,} == *"${option%%=*}"* ]] || fail "$option: $output"
done
docker volume create -d cio --name db --opt capacity=1
docker volume create -d cio --name gold --opt profile=GOLD --opt capacity=1 --opt iopsmax=1500
same "$(field gold minimumIOPS) $(field gold maximumIOPS) $(field gold capacity)" '1000 1500 1'

testing 'three nodes create one volume at once'
for node in v1 v2 v3; do
    ask $node VolumeDriver.Create '{"Name":"once","Opts":{"capacity":"1"}}' >"$CIO_TEST_DIR/$node.json" &
done
wait
for node in v1 v2 v3; do same "$(<"$CIO_TEST_DIR/$node.json")" '{"Err":""}'; done
same "$(cio volume ls | grep -c ' once$')" 1
[[ $(ask v2 VolumeDriver.Create '{"Name":"once","Opts":{"level":"3"}}') == *'level 2, not 3'* ]] ||
    fail 'another volume of that name was taken for it'

testing 'a container finds an empty folder on the device, and its data again'
run --rm -v db:/data bb sh -c 'ls -A /data; grep " /data " /proc/mounts; echo one >/data/file' \
    >"$CIO_TEST_DIR/first"
grep -q '^/dev/loop[0-9]* /data xfs ' "$CIO_TEST_DIR/first" || fail "no mount: $(<"$CIO_TEST_DIR/first")"
same "$(wc -l <"$CIO_TEST_DIR/first")" 1
same "$(run --rm -v db:/data bb cat /data/file)" one

testing 'after it the volume is off, and nobody can write where it was mounted'
eventually 10 is_off db
! touch "$cluster/v1/volumes/vd1/lost" 2>/dev/null || fail 'the bare mount point was written'

testing 'what an image has in the folder is copied up'
docker volume create -d cio --name files --opt capacity=1 --opt filesystem=ext4
same "$(run --rm -v files:/srv bb cat /srv/page)" hello
same "$(run --rm -v files:/data bb ls -A /data)" page

testing 'two containers, one volume; in use it is neither removed nor given away'
run -d --name one -v db:/data bb sleep 1000
run -d --name two -v db:/data bb sleep 1000
same "$(references db)" 2
docker exec one sh -c 'echo shared >/data/file'
same "$(docker exec two cat /data/file)" shared
! docker volume rm db 2>/dev/null || fail 'a volume in use was removed'
refused cio volume rm db -y
refused cio volume move db -n v2
refused cio volume detach db
[[ $(mount_at v2 db x) == *'the volume is in use at node v1'* ]] || fail 'it was mounted twice'
same "$(docker exec one cat /data/file)" shared
docker rm -f one
same "$(references db)" 1
same "$(docker exec two cat /data/file)" shared
docker rm -f two
eventually 10 is_off db

testing 'engine ended and started, and killed and started: containers that restart go on'
count='n=0; while :; do n=$((n + 1)); echo $n | dd of=/data/new conv=fsync 2>/dev/null; mv /data/new /data/count; sleep 0.1; done'
run -d --name always --restart always -v db:/data bb sh -c "$count"
docker volume create -d cio --name left --opt capacity=1
run -d --name never -v left:/data bb sleep 1000
eventually 10 grows always 3
end_docker
start_docker
eventually 20 grows always 3
same "$(references db)" 1
same "$(references left)" 0
docker start never
kill_docker
start_docker
eventually 20 grows always 3
same "$(references db)" 1

testing 'a container that is gone without a word: its volume is free again'
same "$(docker inspect -f '{{.State.Running}}' never)" false
eventually 40 has_references left 0
eventually 10 is_off left
eventually 5 event_tells 'volume left .* 1 user on node .* gone without a word.*:2121'
same "$(references db)" 1
docker rm -f always never
eventually 10 is_off db
docker volume rm left
same "$(docker volume ls -q | sort | tr '\n' ' ')" 'db files gold once '

testing 'ciod killed while a container writes: it waits and goes on'
run -d --name writer -v db:/data bb sh -c "$count"
eventually 10 grows writer 3
kill -KILL "$(pid_of v1)"
cio playground start v1 --dir "$cluster"
eventually 20 event_tells 'volume db .* goes on at node .*: its device has waited'
eventually 20 grows writer "$(docker exec writer cat /data/count)"
same "$(references db)" 1
same "$(docker inspect -f '{{.State.Running}}' writer)" true

testing 'a node that loses a volume: its container gets errors, and the events tell the epochs'
at v2
victim=$(pid_of v1)
stopped+=("$victim")
kill -STOP "$victim"
eventually 30 status_is v1 maintenance
same "$(mount_at v2 db x)" "{\"Err\":\"\",\"Mountpoint\":\"$cluster/v2/volumes/vd1/data\"}"
before=$(<"$cluster/v2/volumes/vd1/data/count")
kill -CONT "$victim"
stopped=()
eventually 20 event_tells 'old owner node .* locked out, epoch [0-9]* to [0-9]*.*:2103'
eventually 20 event_tells 'vd1 is torn down on node .*; its users here get errors:2120'
eventually 20 has_references db 0
! docker exec writer dd if=/bin/busybox of=/data/late conv=fsync 2>/dev/null ||
    fail 'the container still writes'
same "$(<"$cluster/v2/volumes/vd1/data/count")" "$before"
[ ! -e "$cluster/v2/volumes/vd1/data/late" ] || fail 'a late write is there'
same "$(field db node)" v2
docker rm -f writer
ask v2 VolumeDriver.Unmount '{"Name":"db","ID":"x"}'
at v1
eventually 20 status_is v1 normal

testing 'the volume comes from a node where nobody uses it, and from one that is dead'
same "$(mount_at v2 db moved)" "{\"Err\":\"\",\"Mountpoint\":\"$cluster/v2/volumes/vd1/data\"}"
same "$(<"$cluster/v2/volumes/vd1/data/file")" shared
[[ $(mount_at v1 db x) == *'the volume is in use at node v2'* ]] || fail 'it was mounted twice'
cio playground kill v2 --dir "$cluster"
same "$(mount_at v1 db taken)" "{\"Err\":\"\",\"Mountpoint\":\"$cluster/v1/volumes/vd1/data\"}"
same "$(<"$cluster/v1/volumes/vd1/data/file")" shared
event_tells 'volume db .* owner node v1 after v2, which is locked out' || fail 'nobody told who is locked out'
ask v1 VolumeDriver.Unmount '{"Name":"db","ID":"taken"}'
