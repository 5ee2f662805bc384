# Sourced by scripts/test: one function per stage. Each writes its own log, prints what a person
# wants to see of it, and adds to `passed` and `failed`.

passed=0
failed=0
skipped=0

# Runs the stage $1, a function, with a line before and a line of its time after.
stage() {
    local name=$1 began before_passed=$passed before_failed=$failed
    shift
    began=$(now_ms)
    say "== $name"
    "$@"
    say "== $name: $((passed - before_passed)) passed, $((failed - before_failed)) failed," \
        "$(seconds_since "$began") s"
}

# Counts one check that is a command of its own; shows the end of its log when it fails.
check() {
    local name=$1 log="$CIO_RUN/${1//[ \/]/-}.log" began status=0
    shift
    began=$(now_ms)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    case $status in
    0)
        passed=$((passed + 1))
        say "  passed  $name ($(seconds_since "$began") s)"
        ;;
    # The convention of automake and others for "this machine lacks something".
    77)
        skipped=$((skipped + 1))
        say "  skipped $name: $(tail -n 1 "$log")"
        ;;
    *)
        failed=$((failed + 1))
        say "  FAILED  $name: exit status $status, $log:"
        tail -n 40 "$log" | sed 's/^/          /'
        ;;
    esac
}

# One run of the unit tests; the arguments choose which. The counts are those of the log: a
# test with two issues has failed once.
unit_tests() {
    local name=$1 log="$CIO_RUN/unit-$1.log" status=0 total bad
    shift
    swift test --package-path "$root" "${configuration[@]}" --skip-build --disable-xctest "$@" \
        >"$log" 2>&1 </dev/null || status=$?
    total=$(sed -n 's/.*Test run with \([0-9]*\) tests.*/\1/p' "$log" | tail -n 1)
    bad=$(grep -cE '^✘ Test [^ ]+\(.*\) .*failed after|^✘ Test ".*failed after' "$log" || true)
    # A crash leaves no count, and is a failure that no test owns.
    [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
    passed=$((passed + ${total:-0} - (bad > ${total:-0} ? ${total:-0} : bad)))
    failed=$((failed + bad))
    [ "$status" = 0 ] && return
    say "  FAILED  unit tests, $name: $log:"
    grep -aE '^✘|^↳|error: |Fatal error|signal code' "$log" | grep -av '^◇' | cut -c1-300 | head -n 60 |
        sed 's/^/          /' || true
}

# Modules whose tests mount, start processes, or wait for threads and clocks: one at a time.
serial_modules='^(BlockDevicesTests|CiodTests|ControlTests|DockerPluginTests|DriveStoreTests|EngineTests|MetadataTests|PlaygroundTests|RESTServerTests|RingTests)\.'

stage_unit() {
    unit_tests parallel --skip "$serial_modules"
    unit_tests serial --no-parallel --filter "$serial_modules"
}

# 100,000 seeds take ten minutes on two cores.
stage_simulation() {
    local last=3000
    if [[ $long == *' simulation '* ]]; then last=100000; fi
    check "$last seeds" "$bin/cio-simulate" --seeds "1..$last"
    check 'every planted fault is caught' "$bin/cio-simulate" --planted all --seeds 1..5000
}

# Every parser of what comes from outside; with a fixed seed, so that it fails the same way again.
stage_fuzz() {
    if [[ $long == *' fuzz '* ]]; then
        check 'every parser, ten minutes each' "$root/scripts/fuzz" 600
    else
        check 'every parser, 300,000 inputs each' "$root/scripts/fuzz"
    fi
}

stage_integration() {
    local script
    for script in "$root"/Tests/integration/*.sh; do
        [ -e "$script" ] || continue
        check_script integration "$script"
    done
}

# A Swarm of four nodes. Ten rounds take half an hour on two cores.
stage_docker() {
    local script rounds=1
    if [[ $long == *' docker '* ]]; then rounds=10; fi
    for script in "$root"/Tests/docker/*.sh; do
        check_script docker "$script" "$rounds"
        # What was measured; nothing of it is a condition.
        grep -a '^   time: ' "$CIO_RUN/$(basename "$script" .sh).log" || true
    done
}

# Counts the script $2 of the stage $1, in a folder of its own; the rest are its arguments.
check_script() {
    local folder=$CIO_RUN/$1 script=$2
    shift 2
    check "$(basename "$script" .sh)" env CIO_BIN="$bin" CIO_TEST_DIR="$folder" \
        bash "$script" "$@"
    clear_mounts "$folder"
    release_mount_points "$folder"
    rm -rf --one-file-system -- "$folder"
}
