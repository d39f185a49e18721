#!/bin/bash
# layers.sh [ROOT]: who may include what. Prints each breach as FILE:LINE: REASON; exit 1 on any.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1
breaches=$(mktemp)
trap 'rm -f "$breaches"' EXIT

# folder: folders of ours it may include from, itself included
declare -A may=(
	[common]="common"
	[connector/base]="common connector/base"
	[connector/cloud]="common connector/base connector/cloud"
	[connector/printer]="common connector/base connector/printer"
	[connector/store]="common connector/base connector/store"
	[connector/core]="common connector/base connector/cloud connector/printer connector/store
		connector/core"
	[connector/control]="common connector/base connector/cloud connector/printer connector/store
		connector/core connector/control"
	[connector]="common connector/base connector/cloud connector/printer connector/store
		connector/core connector/control connector"
	[connector/cli]="common connector/cli"
	[tests/emulator]="tests/emulator"
)

# library header: files that may include it, as patterns
libraries=(
	'uv\.h|connector/base/* connector/control/* connector/*.c connector/*.h'
	'curl/.*|connector/base/http*'
	'sqlite3\.h|connector/store/*'
	'openssl/.*|connector/base/crypto*'
	'systemd/.*|connector/base/journal.c connector/base/notify.c'
	'cups/.*|connector/base/ipp_* connector/base/attrs.c connector/cloud/* connector/printer/*'
	'zlib\.h|connector/cloud/gunzip.c'
	'seccomp\.h|connector/base/confine.c'
)

fits() { # FILE PATTERN...: is it one of them? A * does not cross folders.
	local file=$1 pattern
	shift
	for pattern; do
		# shellcheck disable=SC2053 # a pattern
		[[ $file == $pattern && ${file%/*} == "${pattern%/*}" ]] && return 0
	done
	return 1
}

check_ours() { # FILE LINE HEADER
	local folder=${1%/*} target=${3%/*}
	[ -n "${may[$folder]:-}" ] || return 0
	case " ${may[$folder]//[$'\n\t']/ } " in
	*" $target "*) ;;
	*) echo "$1:$2: $folder may not include from $target: $3" ;;
	esac
}

check_library() { # FILE LINE HEADER
	local entry places
	for entry in "${libraries[@]}"; do
		[[ $3 =~ ^${entry%%|*}$ ]] || continue
		read -ra places <<<"${entry#*|}"
		fits "$1" "${places[@]}" || echo "$1:$2: <$3> is included in ${entry#*|} only"
	done
}

shopt -s nullglob
set -f # the patterns above stay patterns
sources=$(find common connector tests/emulator -name '*.[ch]' 2>/dev/null | sort)
for file in $sources; do
	if [ -z "${may[${file%/*}]:-}" ]; then
		echo "$file:1: ${file%/*} is no layer: name it in tests/lint/layers.sh"
	fi
	while IFS=: read -r line text; do
		header=$(sed -E 's/.*[<"]([^>"]*)[>"].*/\1/' <<<"$text")
		case $text in
		*\"*/*) check_ours "$file" "$line" "$header" ;;
		*\"*.inc\") ;; # made by the build
		*\"*) echo "$file:$line: include from the repository's root: $header" ;;
		*\<*) [[ $file == tests/* ]] || check_library "$file" "$line" "$header" ;;
		esac
	done < <(grep -nE '^#[[:space:]]*include' "$file")
done >"$breaches"

cat "$breaches"
[ ! -s "$breaches" ]
