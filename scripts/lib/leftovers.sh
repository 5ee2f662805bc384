# Sourced: clears what a killed run left behind, so that the next one starts from nothing.
#
# Everything of a run carries a mark: its processes the variable CIO_RUN in their environment,
# its mounts and loop devices a path below the run's folder. Nothing is found by a name.

# Processes that were started by a run in the folder $1, whoever their parents are by now.
marked_processes() {
    local folder=$1 environ pid
    for environ in /proc/[0-9]*/environ; do
        pid=${environ#/proc/}
        pid=${pid%/environ}
        [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
        grep -qzxF "CIO_RUN=$folder" "$environ" 2>/dev/null && say "$pid"
    done
    return 0
}

# Those of them that only keep the namespaces of a node open (cio playground up --namespaces).
is_keeper() { grep -qz '^CIO_PLAYGROUND_KEEPER=' "/proc/$1/environ" 2>/dev/null; }

other_than_keepers() {
    local pid
    marked_processes "$1" | while read -r pid; do is_keeper "$pid" || say "$pid"; done
}

# Ends all that $2 lists, until none is left: a process may start another while we look.
kill_marked() {
    local folder=$1 list=${2-marked_processes} pids connections
    mapfile -t pids < <("$list" "$folder")
    mapfile -t connections < <(connections_below "$folder" "${pids[@]}")
    for _ in {1..50}; do
        [ ${#pids[@]} -gt 0 ] || return 0
        # A stopped process dies of SIGKILL as well.
        kill -KILL "${pids[@]}" 2>/dev/null || true
        abort_connections "${connections[@]}"
        sleep 0.1
        mapfile -t pids < <("$list" "$folder")
    done
    fail "clear $folder: processes ${pids[*]} do not end"
}

# The FUSE connections of mounts below the folder $1 in the mount namespaces of the processes $2….
connections_below() {
    local folder=$1 pid
    shift
    for pid in "$@"; do
        awk -v below="$folder/" 'index($5, below) == 1 && / - fuse / {
            split($3, device, ":"); print device[2] }' "/proc/$pid/mountinfo" 2>/dev/null || true
    done | sort -u
}

# A mount namespace unmounts what is in it when its last process dies. Where that one serves a FUSE
# file with a filesystem above it, it would wait for itself for ever.
abort_connections() {
    local connection
    for connection in "$@"; do
        echo 1 >"/sys/fs/fuse/connections/$connection/abort" || true
    done 2>/dev/null
}

# Mount points below the folder $1 with their type and minor number, the last mounted first.
# /proc/self/mountinfo names them without touching any filesystem, so that nothing can hang.
mounts_below() {
    local folder=$1 device point rest type
    while read -r _ _ device _ point rest; do
        type=${rest#* - }
        [[ $point == "$folder"/* ]] && say "${type%% *} ${device#*:} $point"
    done </proc/self/mountinfo | tac
    return 0
}

loops_below() {
    local folder=$1 file loop
    for file in /sys/block/loop*/loop/backing_file; do
        [ -e "$file" ] || continue
        loop=${file#/sys/block/}
        [[ $(<"$file") == "$folder"/* ]] && say "/dev/${loop%%/*}"
    done 2>/dev/null
    orphaned_loops "$folder"
}

# Those whose file was mounted in a mount namespace that has died: the kernel knows no path of it
# any more, but the links that nodes keep of their devices do.
orphaned_loops() {
    local folder=$1 loop file
    [ -d "$folder" ] || return 0
    find "$folder" -maxdepth 6 -xdev -type l -path '*/dev/vd*' -printf '%l\n' 2>/dev/null |
        while read -r loop; do
            file=/sys/block/${loop#/dev/}/loop/backing_file
            [ -e "$file" ] && [ "$(<"$file")" = / ] && say "$loop"
        done 2>/dev/null
    return 0
}

# Takes down FUSE connections, mounts and loop devices below the folder $1, from the top.
clear_mounts() {
    local folder=$1 type minor point loop
    while read -r type minor point; do
        [ "$type" = fuse ] && echo 1 >"/sys/fs/fuse/connections/$minor/abort"
    done 2>/dev/null < <(mounts_below "$folder")
    while read -r type minor point; do
        [ "$type" = fuse ] || umount -l "$point" || true
    done < <(mounts_below "$folder")
    for loop in $(loops_below "$folder"); do losetup -d "$loop" || true; done
    while read -r _ _ point; do umount -l "$point" || true; done < <(mounts_below "$folder")
}

# Mount points below the folder $1 are immutable while nothing is mounted there.
release_mount_points() {
    [ -d "$1" ] || return 0
    find "$1" -xdev -type d -path '*/volumes/vd*' -prune -exec chattr -i {} + 2>/dev/null || true
}

# Removes the folder $1 and everything that a run in it left.
clear_run() {
    local loop
    kill_marked "$1" other_than_keepers
    # Of a device over a file whose mount namespace is gone nobody could tell whose it is.
    for loop in $(loops_below "$1"); do losetup -d "$loop" || true; done
    kill_marked "$1"
    clear_mounts "$1"
    release_mount_points "$1"
    rm -rf --one-file-system -- "$1"
}

# Takes the folder $1 for this run and marks all that this run starts. Two runs never share one.
begin_run() {
    local folder=$1 owner='' started=''
    if [ -f "$folder.lock" ]; then read -r owner started <"$folder.lock" || true; fi
    if [ -n "$owner" ] && [ "$(start_time "$owner")" = "$started" ]; then
        fail "start: process $owner is running in $folder; wait for it, or end it"
    fi
    say "$$ $(start_time $$)" >"$folder.lock"
    clear_run "$folder"
    mkdir -p "$folder/tmp"
    export CIO_RUN=$folder TMPDIR=$folder/tmp
}

end_run() {
    clear_run "$1"
    rm -f "$1.lock"
}
