#!/bin/bash
# run.sh [CHECK...]: every check of `make lint`, or those named. LINT_CFLAGS: flags of the build.
# Looks at the files git knows (and new ones it does not ignore); the last line is
# "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export LC_ALL=C
here=tests/lint

files() { # PATTERN...: those that are there
	git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
		while read -r f; do [ -e "$f" ] && echo "$f"; done
}

each() { # COMMAND...: for the files on stdin, all at once on each processor
	xargs -r -P "$(nproc)" -n 16 "$@"
}

format() { files '*.c' '*.h' | each clang-format --dry-run -Werror; }

layers() { "$here"/layers.sh; }

banned() { "$here"/banned.sh; }

structure() { "$here"/structure.sh; }

# The same flags as the build. Two compilers see more than one; gcc's come with the build as well.
clang_warnings() {
	# shellcheck disable=SC2016 # $LINT_CFLAGS is for the inner shell, with the quotes it holds
	files '*.c' | each sh -c 'eval "exec clang -fsyntax-only $LINT_CFLAGS \"\$@\""' sh
}

gcc_warnings() {
	# shellcheck disable=SC2016
	files '*.c' | each sh -c 'eval "exec gcc -fsyntax-only $LINT_CFLAGS \"\$@\""' sh
}

shell() { files '*.sh' .ci/run | each shellcheck; }

spelling() {
	files | grep -vE '^(LICENSE|tests/data/|tests/fuzz/corpus/)' |
		each codespell -I "$here/words" --
}

manuals() { files 'man/*.[1-8]' | each mandoc -Tlint -W warning; }

python() { files '*.py' | each /usr/bin/python3 -I -B "$here/python.py"; }

export LINT_CFLAGS=${LINT_CFLAGS:--std=gnu17 -D_GNU_SOURCE -I. -Ibuild/gen -Wall -Wextra}
all='format layers banned structure clang_warnings gcc_warnings shell spelling manuals python'
passed=0 failed=0
# shellcheck disable=SC2086 # one word per check
[ $# -gt 0 ] || set -- $all
for check; do
	if out=$("$check" 2>&1); then
		echo "ok    $check"
		passed=$((passed + 1))
	else
		echo "FAIL  $check"
		printf '      %s\n' "${out//$'\n'/$'\n      '}"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
