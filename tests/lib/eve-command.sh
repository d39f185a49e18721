#!/bin/bash
# eve-command.sh FILE: the print command of ippeveprinter -c. Records every document in
# $EVE_DIR/ledger.jsonl, copies it to $EVE_DIR/JOB, and behaves as $EVE_DIR/mode says:
#   ok            prints at once
#   hold          waits until the bed unlocks $EVE_DIR/gate, then prints
#   slow SECONDS  reports a page at a time over so many seconds (or until unlocked), then prints
#   media         out of paper until $EVE_DIR/gate is unlocked, then prints
#   jam [SECONDS] paper jam for so long, then the printer aborts the job
#   fail          aborts the job at once
# Waiting is waiting for a lock which the test holds: no polling, and it ends when the test does.
set -u
dir=${EVE_DIR:?}
job=${IPP_JOB_ID:-0}
read -r mode arg <"$dir/mode" 2>/dev/null || mode=${mode:-ok} arg=${arg:-}

gate() { flock -s ${1:+-w "$1"} "$dir/gate" true; }

record() { # EVENT
	local name
	name=$(tr -dc '[:alnum:] ._@-' <<<"${IPP_JOB_NAME:-}")
	printf '{"event":"%s","job":%d,"name":"%s","format":"%s","bytes":%d,"sha256":"%s","mode":"%s","file":"%s"}\n' \
		"$1" "$job" "$name" "${CONTENT_TYPE:-}" "$bytes" "$sha256" "$mode" "$copy" >>"$dir/ledger.jsonl"
}

printed() {
	echo "ATTR: job-impressions-completed=${1:-2}" >&2
	record printed
	exit 0
}

bytes=$(stat -c %s "$1")
sha256=$(sha256sum <"$1")
sha256=${sha256%% *}
copy=$dir/$job.$(basename "$1")
cp "$1" "$copy"
record arrived

case $mode in
hold)
	gate
	printed ;;
slow)
	for page in 1 2 3 4; do
		gate "$((${arg:-1} / 4)).$((${arg:-1} * 25 % 100))"
		echo "ATTR: job-impressions-completed=$page" >&2
	done
	printed 4 ;;
media)
	echo "STATE: +media-empty-error" >&2
	echo "ATTR: printer-state-message='Out of paper'" >&2
	gate
	echo "STATE: -media-empty-error" >&2
	printed ;;
jam)
	echo "STATE: +media-jam-error" >&2
	gate "${arg:-1}"
	echo "STATE: -media-jam-error" >&2
	record jammed
	exit 1 ;;
fail)
	echo "ERROR: cannot print" >&2
	record failed
	exit 1 ;;
esac
printed
