#!/bin/bash
# packages.sh BUILD: what make deb rpm made, tried where nothing of ours ever was: lintian and
# rpmlint, piuparts, and a minimal Debian 12 that is installed, booted, used and purged. Needs root
# and the network of apt; leaves nothing.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
[ "$(id -u)" -eq 0 ] || exec sudo "$0" "$build"
for program in lintian rpmlint piuparts mmdebstrap systemd-nspawn; do
	command -v "$program" >/dev/null || {
		echo "packages.sh: apt-get install lintian rpmlint piuparts mmdebstrap systemd-container" >&2
		exit 1
	}
done
work=$(mktemp -d /var/tmp/packages.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
deb=$(find "$build/deb" -maxdepth 1 -name 'print-connector_*.deb')
rpm=$(find "$build/rpm/RPMS" -name 'print-connector-[0-9]*.rpm')
mapfile -t sources < <(find /etc/apt -name '*.sources' -o -name sources.list)
passed=0 failed=0

try() { # NAME COMMAND...
	local name=$1
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok    $name"
		passed=$((passed + 1))
	else
		echo "FAIL  $name"
		tail -n 40 "$work/log" | sed 's/^/      /'
		failed=$((failed + 1))
	fi
}

silent() { # COMMAND...: succeeds and says nothing
	"$@" && [ ! -s "$work/log" ]
}
no_warnings() { # COMMAND...: of rpmlint
	"$@" && ! grep -E ': [EW]: ' "$work/log"
}

clean_root() {
	mmdebstrap --quiet --variant=minbase --include=systemd,systemd-sysv,dbus,cups,iproute2 bookworm \
		"$work/root" "${sources[@]}" &&
		cp "$deb" "$work/root/package.deb" &&
		printf '#!/bin/sh\nexit 101\n' >"$work/root/usr/sbin/policy-rc.d" &&
		chmod 755 "$work/root/usr/sbin/policy-rc.d" &&
		cp -L /etc/resolv.conf "$work/root/etc/resolv.conf" &&
		chroot "$work/root" apt-get update &&
		chroot "$work/root" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends /package.deb
}

# It is enabled, so it runs after boot; it can be removed and purged.
booted() {
	# shellcheck disable=SC2016 # for the box
	BUILD="$build" BOX_ROOT="$work/root" tests/box.sh sh -ec '
		systemctl is-active print-connector
		print-connector status
		print-connectord --check-config
		systemctl show --value -p StatusText print-connector
		apt-get purge -y print-connector
		! systemctl is-active print-connector
		[ ! -e /var/lib/print-connector ] && [ ! -e /etc/print-connector ]'
}

# Files and scripts of the RPM, on a Debian that has the libraries it needs.
booted_rpm() {
	# shellcheck disable=SC2016 # for the box
	cp "$rpm" "$build/logs/package.rpm" &&
		BUILD="$build" tests/box.sh sh -ec '
			rpm -i --nodeps --ignorearch "$BUILD/logs/package.rpm"
			systemctl daemon-reload
			systemctl start print-connector
			print-connector status
			systemctl is-enabled print-connector
			rpm -e print-connector
			! systemctl is-active print-connector'
	local code=$?
	rm -f "$build/logs/package.rpm"
	return "$code"
}

piuparts_base() {
	mmdebstrap --quiet --variant=minbase bookworm "$work/base.tar.gz" "${sources[@]}" &&
		piuparts -b "$work/base.tar.gz" -d bookworm --no-eatmydata "$deb"
}

try "lintian" silent lintian --allow-root --no-cfg --fail-on error,warning \
	"$build"/deb/*.changes
try "rpmlint" no_warnings rpmlint -c packaging/rpmlint.toml "$rpm" packaging/print-connector.spec
try "the RPM, installed, started, erased" booted_rpm
try "the Debian package, on a minimal system" clean_root
try "booted there, used and purged" booted
try "piuparts" piuparts_base
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
