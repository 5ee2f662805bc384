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

# Sums up the reports of `swift test`, which counts per module and per framework.
count_reports() {
    local report tests failures
    for report in "$@"; do
        [ -f "$report" ] || continue
        tests=$(sed -n 's/.*<testsuite [^>]*tests="\([0-9]*\)".*/\1/p' "$report" | head -n 1)
        failures=$(sed -n 's/.*<testsuite [^>]*failures="\([0-9]*\)".*/\1/p' "$report" | head -n 1)
        passed=$((passed + ${tests:-0} - ${failures:-0}))
        failed=$((failed + ${failures:-0}))
    done
}

# One run of the unit tests; the arguments choose which.
unit_tests() {
    local name=$1 log="$CIO_RUN/unit-$1.log" report="$CIO_RUN/unit-$1" before=$failed
    shift
    if swift test --package-path "$root" "${configuration[@]}" --skip-build --disable-xctest \
        --xunit-output "$report.xml" "$@" >"$log" 2>&1 </dev/null; then
        count_reports "$report"*.xml
        return
    fi
    count_reports "$report"*.xml
    # A crash leaves no report.
    [ "$failed" -gt "$before" ] || failed=$((failed + 1))
    say "  FAILED  unit tests, $name: $log:"
    grep -E '^✘|error:|Fatal error|crash' "$log" | head -n 60 | sed 's/^/          /' || true
}

# Modules whose tests mount, use loop devices or start processes: one test at a time.
serial_modules='^(BlockDevicesTests|MetadataTests|RingTests|PlaygroundTests)\.'

stage_unit() {
    unit_tests parallel --skip "$serial_modules"
    unit_tests serial --no-parallel --filter "$serial_modules"
}

stage_integration() {
    local script
    for script in "$root"/Tests/integration/*.sh; do
        [ -e "$script" ] || continue
        check "$(basename "$script" .sh)" env CIO_BIN="$bin" CIO_TEST_DIR="$CIO_RUN/integration" \
            bash "$script"
        clear_mounts "$CIO_RUN/integration"
        rm -rf --one-file-system -- "$CIO_RUN/integration"
    done
}
