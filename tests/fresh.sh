#!/bin/bash
# fresh.sh [COMMAND...]: clones this repository into a new minimal Debian 12, where a user has git,
# make and sudo and nothing else, and runs each command there; `.ci/run` and `make demo` when none is
# given. What is committed counts. Needs root, mmdebstrap and the network of apt; leaves nothing.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" -eq 0 ] || exec sudo "$0" "$@"
command -v mmdebstrap >/dev/null || {
	echo "fresh.sh: mmdebstrap is missing: apt-get install mmdebstrap" >&2
	exit 1
}
[ $# -gt 0 ] || set -- .ci/run 'make -s demo'

root=$(mktemp -d /var/tmp/fresh.XXXXXX)
trap 'rm -rf --one-file-system "$root"' EXIT
# from where the apt of this machine takes its packages
mapfile -t sources < <(find /etc/apt -name '*.sources' -o -name sources.list)
mmdebstrap --quiet --variant=minbase --include=ca-certificates,git,make,sudo bookworm "$root" \
	"${sources[@]}"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # services are not for a chroot
chmod 755 "$root/usr/sbin/policy-rc.d"
echo "127.0.0.1 localhost $(hostname)" >"$root/etc/hosts"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
chroot "$root" useradd -m -s /bin/bash dev
echo 'dev ALL=(ALL) NOPASSWD: ALL' >"$root/etc/sudoers.d/dev"
git clone -q "$here" "$root/home/dev/print-connector"
chroot "$root" chown -R dev:dev /home/dev

# The mounts and everything that was started go away with the namespaces.
# shellcheck disable=SC2016 # $1 is for the inner shell
inside='set -e
mount --bind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t sysfs sysfs "$1/sys"
mount -t tmpfs tmpfs "$1/run"
mount -t tmpfs -o mode=1777 tmpfs "$1/tmp"
exec chroot "$1" su - dev -c "cd print-connector && $2"'
failed=0
for command; do
	echo "== $command"
	unshare -m -p -f --propagation private bash -c "$inside" bash "$root" "$command" || failed=1
done
exit "$failed"
