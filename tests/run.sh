#!/bin/bash
# run.sh BUILD unit|integration|models|system|crash...: runs tests of a build; the last line is "N passed, N failed".
# A unit test program may take LIMIT seconds. TESTS: files or folders for pytest instead of all.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
shift
passed=0 failed=0
LIMIT=${LIMIT:-60}
logs=$build/logs
mkdir -p "$logs"

add() { # PASSED FAILED
	passed=$((passed + $1))
	failed=$((failed + $2))
}

count() { # PASSED|FAILED LOG: the sum over the groups of a program, as cmocka 1.1 and 2 say it
	sed -nE "s/^\[  $1  \] (.*: )?([0-9]+) test.*/\2/p" "$2" | awk '{ n += $1 } END { print n + 0 }'
}

# One program: its tests are counted by what cmocka says; one that ends otherwise is one failure.
run_one() { # PROGRAM [ARGUMENT]
	local name log code good bad
	name=$(basename "$1")
	log=$logs/$name.log
	{ timeout -k 5 "$LIMIT" "$@" >"$log" 2>&1 </dev/null; } 2>/dev/null
	code=$?
	good=$(count PASSED "$log")
	bad=$(count FAILED "$log")
	case $name in replay_*) good=$((code == 0)) ;; esac
	if [ "$code" -eq 0 ] && [ "$bad" -eq 0 ]; then
		printf 'ok    %-34s %3d\n' "$name" "$good"
	else
		[ "$bad" -gt 0 ] || bad=1
		why="exit $code"
		[ "$code" -le 128 ] || why="killed by signal $((code - 128))"
		[ "$code" -ne 124 ] || why="took more than $LIMIT s"
		[ -x "$1" ] || why="was not built"
		printf 'FAIL  %-34s %s, see %s\n' "$name" "$why" "$log"
		grep -vE '^\[( RUN| +OK |==)' "$log" | tail -n 25 | sed 's/^/      /'
	fi
	echo "$good $bad" >"$logs/$name.count"
}

unit() {
	local programs=() p name
	for p in tests/unit/test_*.c; do
		[ -e "$p" ] && programs+=("$build/${p%.c}")
	done
	for p in tests/fuzz/fuzz_*.c; do
		[ -e "$p" ] || continue
		name=${p#tests/fuzz/fuzz_}
		name=${name%.c}
		[ -d "tests/fuzz/corpus/$name" ] &&
			programs+=("$build/tests/fuzz/replay_$name tests/fuzz/corpus/$name")
	done
	rm -f "$logs"/*.count
	export -f run_one count
	export logs LIMIT
	# shellcheck disable=SC2016 # $0 is for the inner shell, where the words are split again
	printf '%s\n' "${programs[@]}" | xargs -r -P "$(nproc)" -I{} bash -c 'run_one $0' {}
	local before_passed=$passed before_failed=$failed good bad
	for p in "${programs[@]}"; do
		read -r good bad 2>/dev/null <"$logs/$(basename "${p%% *}").count" || good=0 bad=1
		add "$good" "$bad"
	done
	echo "unit: $((passed - before_passed)) passed, $((failed - before_failed)) failed"
}

integration() {
	local counts=$PWD/$logs/integration good bad
	rm -f "$counts"
	# shellcheck disable=SC2086 # several files
	tests/as-root.sh BUILD="$build" COUNTS="$counts" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 \
		-m pytest -p no:cacheprovider -n "${WORKERS:-4}" -q --no-header --tb=short -rfE \
		${TESTS:-tests/integration}
	read -r good bad 2>/dev/null <"$counts" || good=0 bad=1
	add "$good" "$bad"
	echo "integration: $good passed, $bad failed"
}

# The installed package, in a machine of its own: tests/box.sh.
system() {
	local counts=$logs/system good bad
	rm -f "$counts"
	# shellcheck disable=SC2086 # several files
	BUILD="$build" COUNTS="$counts" tests/box.sh /usr/bin/python3 -m pytest -p no:cacheprovider -q \
		--no-header --tb=short -rfE --durations=5 ${TESTS:-tests/integration/system}
	read -r good bad 2>/dev/null <"$counts" || good=0 bad=1
	add "$good" "$bad"
	echo "system: $good passed, $bad failed"
}

# Queues of all kinds of drivers. MODELS_ARGS: see tests/models/models.py.
models() {
	# shellcheck disable=SC2086 # several words
	if tests/as-root.sh BUILD="$build" nice /usr/bin/python3 -B tests/models/models.py \
		${MODELS_ARGS:-}; then
		add 1 0
	else
		add 0 1
	fi
}

# Everything breaks, and the ledgers are compared. CRASH_ARGS: see tests/crash/crash.py.
crash() {
	# shellcheck disable=SC2086 # several words
	if tests/as-root.sh BUILD="$build" ${CONNECTOR_SEED:+CONNECTOR_SEED="$CONNECTOR_SEED"} \
		/usr/bin/python3 -B tests/crash/crash.py ${CRASH_ARGS:-}; then
		add 1 0
	else
		add 0 1
	fi
}

for part in "$@"; do
	"$part"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
