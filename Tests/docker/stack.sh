#!/usr/bin/env bash
# `docker stack deploy` of a PostgreSQL on a volume by profile and of clients that commit to it. The
# database's node loses its power under their load: the database is back on another node, and has
# every commit that it had acknowledged.
# usage: stack.sh [ROUNDS]
source "$(dirname "$0")/../../scripts/lib/integration.sh"
source "$root/scripts/lib/docker.sh"
source "$root/scripts/lib/swarm.sh"
source "$root/scripts/lib/swarm-services.sh"
source "$root/scripts/lib/debian-image.sh"

rounds=${1:-1}

# What is in the image besides Debian's packages.
make_programs() {
    local programs=$1/usr/local/bin
    mkdir -p "$programs" "$1/answers" "$1/var/lib/postgresql/data"
    cat >"$programs/database" <<'EOF'
#!/bin/bash
# Makes the database if there is none yet, and serves it.
set -e
data=/var/lib/postgresql/data
program=/usr/lib/postgresql/15/bin
chown postgres: $data
chmod 700 $data
if [ ! -s $data/is-made ]; then
    runuser -u postgres -- $program/initdb --pgdata=$data --data-checksums --no-sync \
        --auth=trust --encoding=UTF8 --locale=C
    echo 'host all all all trust' >>$data/pg_hba.conf
    sync --file-system $data
    echo yes >$data/is-made
    sync --file-system $data
fi
# Of a container that has died; there is no other one, the volume is mounted once.
rm -f $data/postmaster.pid
exec runuser -u postgres -- $program/postgres -D $data -c 'listen_addresses=*' -c jit=off
EOF
    cat >"$programs/client" <<'EOF'
#!/bin/bash
# Commits one row after the other, and says so in /answers once it is answered; begins anew,
# with the next number, whenever the database is away. $1: the client's number.
trap '' PIPE
number=0
while :; do
    coproc DB { exec psql --no-psqlrc --quiet --no-align --tuples-only --set=ON_ERROR_STOP=1 \
        'host=db user=postgres connect_timeout=2' 2>>/answers/client.log; }
    pid=$DB_PID
    exec {to}>&"${DB[1]}" {from}<&"${DB[0]}"
    while number=$((number + 1)); do
        echo "INSERT INTO commits VALUES ($1, $number, repeat(md5('$number'), 8)) RETURNING number;"
        read -r -t 3 answer <&$from && [ "$answer" = $number ] || break
        echo "$1 $number" >>/answers/commits
    done >&$to
    kill $pid
    exec {to}>&- {from}<&-
    wait $pid
    sleep 0.2
done 2>>/answers/client.log
EOF
    chmod 755 "$programs"/*
}

# Outside of the namespaces, which have no network.
if [ -z "${CIO_IN_NAMESPACES-}" ]; then
    command -v debootstrap >/dev/null || lacks 'debootstrap is not installed'
    make_programs "$CIO_TEST_DIR/programs"
    mkdir -p "$docker_home"
    make_debian_image "$docker_home/postgres.tar" postgresql-15 \
        "$CIO_TEST_DIR/programs"
fi
in_docker_namespaces "$root/Tests/docker/stack.sh" "$@"

victims=(n3 n2)

write_stack() {
    cat <<EOF
version: '3.8'
services:
  db:
    image: postgres:1
    command: database
    stop_signal: SIGINT
    networks: [inside]
    volumes: ['data:/var/lib/postgresql/data']
    deploy:
      replicas: 0
      endpoint_mode: dnsrr
      placement: {constraints: ['node.labels.home == yes']}
  client:
    image: postgres:1
    command: bash -c 'for each in 1 2 3 4; do client \$\$each & done; wait'
    networks: [inside]
    volumes: ['$answers:/answers']
    deploy:
      placement: {constraints: ['node.hostname == n4']}
networks:
  inside: {driver: overlay}
volumes:
  data:
    driver: cio
    driver_opts: {profile: MYSQL}
EOF
}

# A statement at the task $1 on the node $2.
query_at() { docker_at "$2" exec "$(container_of "$1" "$2")" psql -XqAtU postgres -c "$3"; }
answers_query() { [ "$(query_at "$1" "$2" 'SELECT 1')" = 1 ]; }
commits() { [ -f "$answers/commits" ] && wc -l <"$answers/commits" || say 0; }
has_commits() { [ "$(commits)" -ge "$1" ]; }

# Every commit that a client was answered is in the database, as it was written.
nothing_is_lost() {
    sort "$answers/commits" >"$swarm/answered"
    query_at "$1" "$2" "SELECT client || ' ' || number FROM commits
        WHERE body = repeat(md5(number::text), 8)" | sort >"$swarm/found"
    comm -23 "$swarm/answered" "$swarm/found" >"$swarm/lost"
    [ ! -s "$swarm/lost" ] || fail "acknowledged, but not in the database: $(head -n 5 "$swarm/lost")"
    say "   $(wc -l <"$swarm/answered") acknowledged commits, all in the database"
}

power_cut_under_load() {
    local victim=$1 task node broken_ms
    testing "power cut of $victim under load"
    place_services "$victim" shop_db
    task=$(running_task shop_db)
    eventually 60 answers_query "$task" "$victim"
    query_at "$task" "$victim" 'CREATE TABLE IF NOT EXISTS commits
        (client int, number bigint, body text NOT NULL)'
    eventually 60 is_healthy shop_data
    eventually 30 has_commits $(($(commits) + 1000))
    broken_ms=$(now_ms)
    cut_power "$victim"
    eventually 90 runs_elsewhere shop_db "$victim"
    read -r task node < <(running shop_db)
    at "$node"
    say "   time: power cut of $victim: PostgreSQL Running elsewhere after" \
        "$(($(running_since "$task") - broken_ms)) ms"
    eventually 60 answers_query "$task" "$node"
    nothing_is_lost "$task" "$node"
    eventually 60 has_commits $(($(commits) + 500))
    boot_node "$victim"
    eventually 60 is_ready "$victim"
    eventually 90 is_healthy shop_data
    nothing_is_lost "$task" "$node"
    docker_at "$node" exec "$(container_of "$task" "$node")" \
        /usr/lib/postgresql/15/bin/pg_amcheck --username=postgres \
        --all --install-missing --heapallindexed
    end_services shop_db
    copies_are_equal shop_data 3
}

swarm_up
testing 'a stack with a volume by profile'
mkdir -p "$answers"
write_stack >"$swarm/stack.yml"
docker_at n1 stack deploy --compose-file "$swarm/stack.yml" shop
for ((round = 0; round < rounds; round++)); do
    power_cut_under_load "${victims[round % ${#victims[@]}]}"
done
same "$(field shop_data redundancy) $(field shop_data capacity) $(field shop_data maximumIOPS)" \
    '3 10 5000'
testing 'the stack is removed; its volume stays until it is removed as well'
docker_at n1 stack rm shop
same "$(docker_at n1 volume ls --quiet --filter driver=cio)" shop_data
eventually 60 docker_at n1 volume rm shop_data
