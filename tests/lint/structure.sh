#!/bin/bash
# structure.sh [ROOT]: the shape of the tree. No source of 1000 lines or more, an include guard that
# is the path, a unit test's module behind every unit test, a corpus and a build for every fuzzer,
# at least as many lines of tests as of code, package lists in order. Exit 1 on any breach.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
shopt -s nullglob
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

lengths() {
	local file count
	while read -r file; do
		count=$(wc -l <"$file")
		[ "$count" -lt 1000 ] || echo "$file: $count lines, the limit is 999"
	done < <(find common connector tests \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' \) -type f)
}

guards() {
	local file guard
	while read -r file; do
		guard=$(tr 'a-z/.-' 'A-Z___' <<<"${file#./}")
		grep -q "^#ifndef $guard\$" "$file" || echo "$file:1: include guard is not $guard"
	done < <(find common connector tests -name '*.h')
}

# ARCHITECTURE.md has a line for each module, and for nothing else.
architecture() {
	local file name='s/^\* .\([a-z0-9_]*\).: .*/\1/p'
	while read -r file; do
		grep -q "^\* \`$file\`: " ARCHITECTURE.md || echo "ARCHITECTURE.md: no line for $file"
	done < <(find common connector -name '*.[ch]' -printf '%f\n' | sed 's/\.[ch]$//' | sort -u)
	while read -r file; do
		[ -n "$(find common connector -name "$file.[ch]")" ] ||
			echo "ARCHITECTURE.md: there is no $file"
	done < <(sed -n "$name" ARCHITECTURE.md | sort -u)
}

# test_MODULE.c, or test_MODULE_THEME.c where a module's tests fill more than one file;
# test_simulation.c is about all of core.
modules() {
	local test module
	for test in tests/unit/test_*.c; do
		[ "$test" != tests/unit/test_simulation.c ] || continue
		module=${test#tests/unit/test_}
		module=${module%.c}
		until [ -n "$(find common connector tests/emulator tests/lib \
			\( -name "$module.c" -o -name "$module.h" -o -name "$module.varlink" \) 2>/dev/null)" ]; do
			case $module in
			*_*) module=${module%_*} ;;
			*)
				echo "$test: there is no module it could be named after"
				break
				;;
			esac
		done
	done
	for test in tests/fuzz/fuzz_*.c; do
		module=${test#tests/fuzz/fuzz_}
		[ -n "$(ls -A "tests/fuzz/corpus/${module%.c}" 2>/dev/null)" ] ||
			echo "$test: tests/fuzz/corpus/${module%.c} is empty"
	done
}

lines() { # FIND-ARGUMENT...
	find "$@" -type f -print0 | xargs -0 -r cat | wc -l
}

balance() {
	local code tests
	code=$(lines common connector -name '*.[ch]')
	tests=$(lines tests \( -name '*.[ch]' -o -name '*.py' -o -name '*.sh' -o -name '*.test' \))
	[ "$tests" -ge "$code" ] || echo "tests: $tests lines of tests for $code lines of code"
}

packages() {
	local list
	for list in packaging/build-depends packaging/test-depends; do
		grep -v '^#' "$list" | sort -cu 2>/dev/null || echo "$list: not sorted, or a name twice"
	done
}

for check in lengths guards architecture modules balance packages; do
	"$check"
done >"$breaches"
cat "$breaches"
[ ! -s "$breaches" ]
