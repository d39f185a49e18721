#!/bin/bash
# banned.sh [ROOT]: calls that our C does not use and ways of waiting that no test uses. Prints each
# as FILE:LINE: TEXT; exit 1 on any. Comments do not count, except for what is left to do.
set -u
cd "${1:-$(dirname "$0")/../..}" || exit 1

calls='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atof|gets|system|popen|alloca|sleep|usleep'
calls+='|nanosleep|uv_sleep|mktemp|tmpnam|rand|signal'
cups='cupsDoRequest|cupsDoFileRequest|cupsDoIORequest|cupsEnumDests|cupsPrintFiles?'
cups+='|cupsGetDests2?|cupsCreateJob|cupsStartDocument|cupsGetResponse|cupsSendRequest'
cups+='|httpConnect[A-Za-z0-9]*|httpWrite2?|httpRead2?'

# C without comments and strings, each line behind its place
code() {
	for file; do
		strip "$file"
	done
}

strip() {
	awk -v file="$1" '
	{
		line = $0
		gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
		out = ""
		while (line != "") {
			if (inside) {
				end = index(line, "*/")
				if (!end) { line = ""; break }
				line = substr(line, end + 2); inside = 0
			} else {
				begin = index(line, "/*"); slash = index(line, "//")
				if (slash && (!begin || slash < begin)) { out = out substr(line, 1, slash - 1); break }
				if (!begin) { out = out line; break }
				out = out substr(line, 1, begin - 1); line = substr(line, begin + 2); inside = 1
			}
		}
		if (out ~ /[^[:space:]]/) print file ":" FNR ": " out
	}' "$1"
}

found=$(
	mapfile -t sources < <(find common connector tests -name '*.[ch]' 2>/dev/null | sort)
	code "${sources[@]}" | grep -E "(^|[^A-Za-z0-9_.>])($calls|$cups)[[:space:]]*\(" |
		grep -vE '(^|[^A-Za-z0-9_])(SIG_IGN|SIG_DFL)\b'
	grep -nHE '\b(TODO|FIXME|XXX)\b' "${sources[@]}" # in comments as well
	find tests -name '*.py' | sort | xargs -r grep -nHE '\btime\.sleep\(|\basyncio\.sleep\(|import.*\bsleep\b'
	find tests packaging .ci -name '*.sh' -o -path .ci/run | sort |
		xargs -r grep -nHE '^[^#]*(^|[;&|[:space:]])u?sleep[[:space:]]+[0-9."$]'
)
[ -z "$found" ] && exit 0
echo "$found"
exit 1
