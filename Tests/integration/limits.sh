#!/usr/bin/env bash
# Profiles, and limits that are changed while the volume is in use.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

command -v fio >/dev/null || lacks 'fio is not installed'
command -v jq >/dev/null || lacks 'jq is not installed'

value() { cio volume info "$1" --json | jq -r ".$2"; }

# Writes of 4 KiB in three seconds at queue depth 16.
writes() {
    fio --name=load --ioengine=nbd --uri="$(nbd_uri v1 "$1")" --rw=randwrite --bs=4k --iodepth=16 \
        --size=64M --time_based --runtime=3 --output-format=json 2>/dev/null |
        sed -n '/^{/,$p' | jq '.jobs[0].write.total_ios'
}

up --nodes 3

testing 'the shipped profiles are there, and a volume takes what its profile says'
same "$(cio profile ls | awk 'NR > 1 { print $1 }' | tr '\n' ' ')" \
    'BRONZE GOLD LARGE MEDIUM MYSQL NGINX SILVER SMALL '
same "$(cio profile ls | head -n 1)" "$(printf '%-41s%s' PROFILE DATE)"
cio volume create sql -p MYSQL -c 1
same "$(value sql redundancy)" 3
same "$(value sql capacity)" 1
same "$(value sql maximumIOPS)" 5000

testing 'a profile of our own'
cio profile show BRONZE | sed 's/max: 300/max: 250/' >mine.yaml
cio profile create MINE mine.yaml
cio profile show MINE | cmp - mine.yaml
cio profile info MINE | grep -q '^maximum iops *250$'
cio volume create slow -p MINE -c 1 -n v1
cio profile rm MINE
refused cio profile rm MINE
refused cio volume create other -p MINE
echo 'service: {snapshot: {enabled: yes}}' | refused cio profile create SNAP -
echo 'capacity: 0' | refused cio profile create NOTHING -
refused cio profile create GOLD mine.yaml

# The limit, and at most a tenth of a second's worth more.
testing 'the limit holds, is lifted and set again while the volume is in use'
limited=$(writes slow)
[ "$limited" -le $((250 * 3 + 250)) ] || fail "$limited writes in 3 s with 250 a second"
[ "$limited" -ge 250 ] || fail "$limited writes in 3 s with 250 a second"
cio volume update slow --iopsmax 0 --iopsmin 0
same "$(value slow maximumIOPS)" null
free=$(writes slow)
[ "$free" -gt $((limited * 2)) ] || fail "$free writes without a limit, $limited with one"
writes slow >during &
client=$!
sleep 0.5
cio volume update slow --bandwidthmax 1 --label tier=low
wait "$client"
[ "$(<during)" -lt "$free" ] || fail "$(<during) writes with 1 MiB/s, $free without"
same "$(value slow labels.tier)" low
cio volume update slow --label tier=
same "$(value slow labels.tier)" null

testing 'what makes no sense is refused'
refused cio volume update slow
refused cio volume update slow --iopsmax -1
refused cio volume update slow --iopsmin 10 --iopsmax 5
refused cio volume update slow --bandwidthmax 99999999999
refused cio volume update nothing --iopsmax 5
