#!/bin/bash
# box.sh COMMAND...: runs it as root under a real systemd (PID 1), in a copy of this machine's root
# file system that is thrown away, with a loopback network of its own. The repository is seen there
# at /srv/print-connector, read-only but for the logs of the build. Its exit status is returned.
# BUILD: the build folder; BOX_ROOT: another root file system than this machine's.
# Needs root and systemd-container; /tmp is the box's own.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
build=${BUILD:-build}
inside=/srv/print-connector
[ "$(id -u)" -eq 0 ] || exec sudo env BUILD="$build" "$0" "$@"
command -v systemd-nspawn >/dev/null || {
	echo "box.sh: systemd-nspawn is missing: apt-get install systemd-container" >&2
	exit 1
}
mkdir -p "$here/$build/logs"

# Services of this machine that a test does not want; cups is the machine's own, in the box.
masked=
for unit in apt-daily.timer apt-daily-upgrade.timer man-db.timer e2scrub_all.timer \
	systemd-networkd.service systemd-resolved.service systemd-timesyncd.service \
	getty.target postgresql.service avahi-daemon.service avahi-daemon.socket snmpd.service \
	docker.service docker.socket containerd.service ssh.service ssh.socket cron.service \
	rsyslog.service cups.service cups.socket cups.path cups-browsed.service; do
	masked+=" systemd.mask=$unit"
done

box=$(mktemp -d /var/tmp/box.XXXXXX)
log=$box.log
leader=
group=print-connector-box.$$
# shellcheck disable=SC2016 # for the inner shell
boot='set -e
box=$1 root=$2 repository=$3 inside=$4 build=$5 group=$6
shift 6
mount -t tmpfs -o size=3g,mode=755 tmpfs "$box"
mkdir "$box/upper" "$box/work" "$box/root"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$box/upper,workdir=$box/work" "$box/root"
mkdir -p "$box/root$inside" "$box/root/srv/bed"
rm -f "$box/root/usr/sbin/policy-rc.d"
: >"$box/root/etc/machine-id"
mountpoint -q /sys/fs/cgroup && umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "/sys/fs/cgroup/$group"
echo $$ >"/sys/fs/cgroup/$group/cgroup.procs"
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn -q -D "$box/root" --register=no --keep-unit --private-network \
	--link-journal=no --console=passive --resolv-conf=off --timezone=off \
	--capability=CAP_NET_ADMIN \
	--system-call-filter="landlock_create_ruleset landlock_add_rule landlock_restrict_self" \
	--bind-ro="$repository:$inside" --bind="$repository/$build/logs:$inside/$build/logs" \
	--boot systemd.unit=multi-user.target systemd.firstboot=off "$@"'
# shellcheck disable=SC2086 # several words
unshare -m --propagation private bash -c "$boot" bash "$box" "${BOX_ROOT:-/}" "$here" "$inside" \
	"$build" "$group" $masked >"$log" 2>&1 </dev/null &
nspawn=$!

inside_box() {
	nsenter -t "$leader" -m -u -i -n -p -C -r -w -- "$@"
}

finish() {
	if [ -n "$leader" ]; then
		kill -RTMIN+4 "$leader" 2>/dev/null
		timeout 20 tail --pid="$nspawn" -f /dev/null
	fi
	kill -KILL "$nspawn" 2>/dev/null
	wait "$nspawn" 2>/dev/null
	# shellcheck disable=SC2016 # for the inner shell
	unshare -m bash -c 'mount -t cgroup2 cgroup2 /mnt 2>/dev/null &&
		find "/mnt/$1" -depth -type d -exec rmdir {} + 2>/dev/null' bash "$group"
	rm -rf --one-file-system "$box" "$log"
}
trap finish EXIT

deadline=$((SECONDS + 60))
until [ -n "$leader" ] && inside_box systemctl is-system-running 2>/dev/null |
	grep -qE '^(running|degraded)$'; do
	if ! kill -0 "$nspawn" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
		echo "box.sh: systemd did not start:" >&2
		cat "$log" >&2
		exit 1
	fi
	[ -n "$leader" ] || leader=$(pgrep -P "$nspawn" -x systemd)
	read -rt 0.05 <> <(:)
done
inside_box env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
	HOME=/root BOX=1 BED_DIR=/srv/bed BUILD="$build" ${TESTS:+TESTS="$TESTS"} COUNTS="${COUNTS:-}" \
	PYTHONDONTWRITEBYTECODE=1 sh -c "cd $inside && exec \"\$@\"" sh "$@"
