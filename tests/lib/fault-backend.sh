#!/bin/bash
# A CUPS backend that does as its device URI says: fault:/NAME?rc=N&state=REASON&wait=SECONDS&once=1
#   rc     exit status (cups backend(7)): 0 ok, 1 failed, 2 auth, 3 hold, 4 stop, 5 cancel, 6 retry,
#          7 retry at once; crash: killed by a signal
#   state  printer-state-reasons keyword reported before the end
#   wait   keeps the job so long, or until $FAULT_DIR/gate is unlocked
#   pages  reports so many pages, one each tenth of a second (all at once when unlocked)
#   say    says each line of $FAULT_DIR/say to CUPS, as backend(7) has them: STATE:, ATTR:, INFO:
#   once   fails at the first try of a job only
# Every run is a line of $FAULT_DIR/ledger.jsonl, every document a file in $FAULT_DIR.
set -u
[ $# -eq 0 ] && {
	echo 'direct fault "Unknown" "Fault injector"'
	exit 0
}
dir=${FAULT_DIR:?}
rc=0 state='' wait='' once='' say='' pages=''
query=${DEVICE_URI#*\?}
IFS='&'
for pair in $query; do
	case $pair in
	rc=*) rc=${pair#rc=} ;;
	state=*) state=${pair#state=} ;;
	wait=*) wait=${pair#wait=} ;;
	once=*) once=${pair#once=} ;;
	say=*) say=${pair#say=} ;;
	pages=*) pages=${pair#pages=} ;;
	esac
done
unset IFS

try=1
while ! mkdir "$dir/$1.$try" 2>/dev/null; do
	try=$((try + 1))
done
copy=$dir/$1.$try/document
cat ${6:+"$6"} >"$copy"
[ -n "$once" ] && [ "$try" -gt 1 ] && rc=0
sha256=$(sha256sum <"$copy")
user=$(tr -dc '[:alnum:]._@-' <<<"$2")
printf '{"job":%d,"try":%d,"user":"%s","copies":%d,"bytes":%d,"sha256":"%s","rc":"%s","file":"%s"}\n' \
	"$1" "$try" "$user" "$4" "$(stat -c %s "$copy")" "${sha256%% *}" "$rc" "$copy" \
	>>"$dir/ledger.jsonl"
[ -n "$state" ] && echo "STATE: +$state" >&2
[ -n "$say" ] && cat "$dir/say" >&2
for ((page = 1; page <= ${pages:-0}; page++)); do
	echo "PAGE: $page 1" >&2
	flock -s -w 0.1 "$dir/gate" true
done
[ -n "$wait" ] && flock -s -w "$wait" "$dir/gate" true
[ -n "$state" ] && echo "STATE: -$state" >&2
[ "$rc" = 0 ] || echo "ERROR: fault backend exits $rc" >&2
[ "$rc" = crash ] && kill -SEGV $$
exit "$rc"
