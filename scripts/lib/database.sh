# Sourced: one PostgreSQL on a mounted volume, and a client that keeps a ledger of its commits.
#
# Sockets and logs lie in $work/postgres, outside every volume: they are the client's machine.

postgres_bin=/usr/lib/postgresql/15/bin

# As the user postgres, who may not be root; with our environment, and so with our mark.
as_postgres() { (cd / && runuser -u postgres -- "$@"); }

# The database's folder on the volume that is mounted at $1.
database_folder() { printf '%s/data' "$1"; }

prepare_database_home() {
    mkdir -p "$work/postgres"
    chown postgres: "$work/postgres"
}

# Makes a database on the volume mounted at $1. initdb would sync every filesystem of the machine;
# this one is enough.
make_database() {
    local data
    data=$(database_folder "$1")
    mkdir "$data"
    chown postgres: "$data"
    as_postgres "$postgres_bin/initdb" --pgdata="$data" --data-checksums --no-sync --auth=trust \
        --encoding=UTF8 --locale=C >>"$work/postgres/initdb.log" 2>&1 || return
    sync --file-system "$data"
}

# Starts the database on the volume mounted at $1 as the node $2; waits until it serves.
start_database() {
    local data
    data=$(database_folder "$1")
    as_postgres "$postgres_bin/pg_ctl" --pgdata="$data" --log="$work/postgres/$2.log" \
        --wait --timeout=60 --options="-c listen_addresses= -c fsync=on \
        -c synchronous_commit=on -c full_page_writes=on -c max_connections=20 \
        -c unix_socket_directories=$work/postgres" start >>"$work/postgres/pg_ctl.log" 2>&1
}

stop_database() {
    as_postgres "$postgres_bin/pg_ctl" --pgdata="$(database_folder "$1")" --wait --mode=fast \
        stop >>"$work/postgres/pg_ctl.log" 2>&1
}

# One statement, its answer in plain lines.
query() { psql_client --command="$1"; }

# Reads no ~/.psqlrc, stops at the first error, prints bare values.
psql_client() {
    "$postgres_bin/psql" --no-psqlrc --set=ON_ERROR_STOP=1 --quiet --no-align --tuples-only \
        --host="$work/postgres" --username=postgres --dbname=postgres "$@"
}

# The table of the ledger's commits, and some hundred MB beside it, so that there is something to
# rebuild.
make_tables() {
    query 'CREATE TABLE commits (number bigint PRIMARY KEY, body text NOT NULL)'
    query 'CREATE TABLE archive AS SELECT number, repeat(md5(number::text), 32) AS body
        FROM generate_series(1, 200000) AS number'
    query 'CREATE UNIQUE INDEX ON archive (number)'
}

# Commits one row after the other, and writes each into the ledger once its commit is answered:
# "number milliseconds". Ends when the database does, or after $2 commits. $1: the first number.
keep_ledger() {
    local number=$1 last=$(($1 + $2)) answer
    coproc CLIENT { psql_client 2>>"$work/postgres/client.log"; }
    while [ "$number" -lt "$last" ]; do
        printf "INSERT INTO commits VALUES (%d, repeat(md5('%d'), 8)) RETURNING number;\n" \
            "$number" "$number" >&"${CLIENT[1]}" || break
        # Given up after 30 s: a database that hangs is a failure of its own.
        read -r -t 30 answer <&"${CLIENT[0]}" || break
        [ "$answer" = "$number" ] || break
        printf '%s %s\n' "$number" "$(now_ms)" >>"$work/ledger"
        number=$((number + 1))
    done 2>/dev/null
}

ledger_length() { [ -f "$work/ledger" ] && wc -l <"$work/ledger" || printf 0; }
ledger_has() { [ "$(ledger_length)" -ge "$1" ]; }
last_commit_ms() { tail -n 1 "$work/ledger" | cut -d' ' -f2; }
last_commit() { tail -n 1 "$work/ledger" | cut -d' ' -f1; }

# Prints the numbers in the ledger that are not in the database, or not as they were written.
lost_commits() {
    query "SELECT number FROM commits WHERE body = repeat(md5(number::text), 8)" |
        sort >"$work/found" || return 2
    cut -d' ' -f1 "$work/ledger" | sort | comm -23 - "$work/found"
}

nothing_is_lost() {
    local lost
    lost=$(lost_commits) || return 1
    [ -z "$lost" ] && return 0
    warn "acknowledged, but not in the database: $(head -n 5 <<<"$lost" | tr '\n' ' ')"
    return 1
}

# The log of the start on node $1 shows a recovery that ended, and nothing that is wrong.
recovery_was_clean() {
    local log="$work/postgres/$1.log"
    grep -q 'automatic recovery in progress' "$log" &&
        grep -q 'database system is ready to accept connections' "$log" &&
        ! grep -E 'PANIC|FATAL|ERROR|invalid page|checksum' "$log"
}

# Every page of the stopped database on the volume mounted at $1.
page_checksums_hold() {
    as_postgres "$postgres_bin/pg_checksums" --check --pgdata="$(database_folder "$1")" \
        >>"$work/postgres/pg_checksums.log" 2>&1
}

# Every table and index of the running one.
indexes_hold() {
    "$postgres_bin/pg_amcheck" --host="$work/postgres" --username=postgres --all \
        --install-missing --heapallindexed --no-strict-names \
        >>"$work/postgres/pg_amcheck.log" 2>&1
}
