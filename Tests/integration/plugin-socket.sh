#!/usr/bin/env bash
# The volume driver on a socket that was there before its ciod: handed over as systemd does it.
# Calls that come while there is no ciod wait in it.
source "$(dirname "$0")/../../scripts/lib/integration.sh"

for program in python3 curl ss; do
    command -v "$program" >/dev/null || lacks "$program is not installed"
done

home=$CIO_TEST_DIR/node
socket=$CIO_TEST_DIR/plugin.sock
mkdir -p "$home/drive"
export CIO_HOST=$home/run/cio.sock

# systemd.exec(5): descriptor 3 is the socket, and the environment names it. This keeps the socket
# and starts ciod with it whenever a byte comes; what ciod is started with, it says.
cat >"$CIO_TEST_DIR/activate.py" <<'EOF'
import os, signal, socket, sys

path, name = sys.argv[1:3]
command = sys.argv[3:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen(128)
# Others may be handed over too, for other purposes: a pipe before it.
other = os.pipe()[0]
# Out of the way of the numbers that are handed over.
kept = [os.dup2(listener.fileno(), 20), os.dup2(other, 21)]
for line in sys.stdin:
    pid = os.fork()
    if pid == 0:
        os.dup2(21, 3, inheritable=True)
        os.dup2(20, 4, inheritable=True)
        environment = dict(os.environ, LISTEN_PID=str(os.getpid()), LISTEN_FDS="2",
                           LISTEN_FDNAMES="other:" + name)
        os.execve(command[0], command, environment)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
EOF

coproc KEEPER {
    exec python3 "$CIO_TEST_DIR/activate.py" "$socket" docker "$(command -v ciod)" --name v1 \
        --state-dir "$home/state" --run-dir "$home/run" --dev-dir "$home/dev" \
        --volumes-dir "$home/volumes" --drive "$home/drive" --address 127.0.83.1 --port 7783 \
        --docker-socket "$home/unused.sock" --liveness 20 2>>"$CIO_TEST_DIR/ciod.log"
}
ciod=
start_ciod() {
    say start >&"${KEEPER[1]}"
    read -r -t 20 ciod <&"${KEEPER[0]}"
}
end_ciod() {
    local line
    kill "-$1" "$ciod"
    read -r -t 40 line <&"${KEEPER[0]}"
    same "$line" ended
    ciod=
}
finish() {
    local status=$?
    [ "$status" = 0 ] || tail -n 20 "$CIO_TEST_DIR/ciod.log"
    if [ -n "$ciod" ]; then end_ciod INT || true; fi
    kill "$KEEPER_PID" 2>/dev/null || true
    exit "$status"
}
trap finish EXIT

ask() { curl -sS --max-time 60 --unix-socket "$socket" -H 'Host;' -d "$2" "http://x/VolumeDriver.$1"; }
# A call in the background; its answer goes to a file of its name.
ask_later() { ask "$1" "$2" >"$CIO_TEST_DIR/$1.json" & }
# How many wait in the socket: connected, and accepted by nobody. ss(8): Recv-Q of a listener.
waiting() { ss -xlH "src $socket" | awk '{ print $3 }'; }
waits() { [ "$(waiting)" = "$1" ]; }

testing 'a call that comes before the first ciod waits for it'
eventually 10 test -S "$socket"
ask_later Create '{"Name":"db","Opts":{"capacity":"1","level":"1"}}'
create=$!
eventually 10 waits 1
start_ciod
wait "$create"
same "$(<"$CIO_TEST_DIR/Create.json")" '{"Err":""}'
same "$(ask List '{}' | grep -o '"Name":"[^"]*"')" '"Name":"db"'
[ ! -e "$home/unused.sock" ] || fail 'ciod has made a socket of its own'

testing 'it is the whole driver'
same "$(ask Mount '{"Name":"db","ID":"1"}')" "{\"Err\":\"\",\"Mountpoint\":\"$home/volumes/vd1/data\"}"
say first >"$home/volumes/vd1/data/file"

for signal in TERM KILL; do
    testing "calls while ciod is away after SIG$signal wait in the socket"
    end_ciod $signal
    [ -S "$socket" ] || fail 'the socket is gone'
    ask_later Get '{"Name":"db"}'
    get=$!
    ask_later Mount '{"Name":"db","ID":"2"}'
    mount=$!
    eventually 10 waits 2
    start_ciod
    wait "$get" "$mount"
    grep -q '"Name":"db"' "$CIO_TEST_DIR/Get.json" || fail "Get: $(<"$CIO_TEST_DIR/Get.json")"
    same "$(<"$CIO_TEST_DIR/Mount.json")" "{\"Err\":\"\",\"Mountpoint\":\"$home/volumes/vd1/data\"}"
    same "$(<"$home/volumes/vd1/data/file")" first
done

testing 'the last user goes, the volume is off; the socket stays after the end'
for id in 1 2; do same "$(ask Unmount "{\"Name\":\"db\",\"ID\":\"$id\"}")" '{"Err":""}'; done
is_off() { [ "$(field db isAttached)" = false ]; }
eventually 10 is_off
end_ciod INT
[ -S "$socket" ] || fail 'the socket is gone'
