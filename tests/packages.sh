#!/bin/bash
# packages.sh BUILD [STEP...]: what make deb rpm made, tried where nothing of ours ever was: lintian
# and rpmlint, the package's own test, piuparts, and minimal systems on which each package is
# installed, booted, upgraded, removed and purged. STEP: only these of the steps at the end. Needs
# root, what packaging/package-depends names, and the network of apt; leaves nothing.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${1:-build}
[ "$(id -u)" -eq 0 ] || exec sudo "$0" "$@"
[ $# -gt 1 ] && steps=("${@:2}") || steps=(lintian rpmlint autopkgtest piuparts debian rpm)
work=$(mktemp -d /var/tmp/packages.XXXXXX)
trap 'rm -rf --one-file-system "$work"' EXIT
# the one file of each kind; as the box sees it: in the same place of the repository
deb=$(find "$build/deb" -maxdepth 1 -name 'print-connector_*.deb' 2>/dev/null)
rpm=$(find "$build/rpm/RPMS" -name 'print-connector-[0-9]*.rpm' 2>/dev/null)
mapfile -t sources < <(find /etc/apt -name '*.sources' -o -name sources.list)
passed=0 failed=0

try() { # NAME COMMAND...
	local name=$1 since=$SECONDS
	shift
	if "$@" >"$work/log" 2>&1; then
		echo "ok    $name ($((SECONDS - since)) s)"
		passed=$((passed + 1))
	else
		echo "FAIL  $name"
		tail -n 40 "$work/log" | sed 's/^/      /'
		failed=$((failed + 1))
	fi
}

new_root() { # NAME PACKAGE,...: a minimal Debian 12 with these
	mmdebstrap --quiet --variant=minbase --include="systemd,systemd-sysv,dbus,$2" bookworm \
		"$work/$1" "${sources[@]}" &&
		printf '#!/bin/sh\nexit 101\n' >"$work/$1/usr/sbin/policy-rc.d" &&
		chmod 755 "$work/$1/usr/sbin/policy-rc.d"
}

# What an administrator sees of a service that works, after systemctl start.
# shellcheck disable=SC2016 # for the box
lived='
	systemctl is-active print-connector
	systemctl is-enabled print-connector
	print-connector status
	print-connectord --check-config
	[ "$(systemctl show --value -p StatusText print-connector)" = \
		"no printer is registered; no cloud is configured" ]'

lintian_is_silent() {
	lintian --allow-root --no-cfg --fail-on error,warning "$build"/deb/*.changes &&
		[ ! -s "$work/log" ]
}

rpmlint_has_no_warnings() {
	rpmlint -c packaging/rpmlint.toml "$rpm" packaging/print-connector.spec &&
		! grep -E ': [EW]: ' "$work/log"
}

# As Debian does it: the built package is installed, the test brings nothing else. This machine has
# what the test depends on (packaging/test-depends), since the box has no network.
own_test() {
	# shellcheck disable=SC2016 # for the box
	BUILD="$build" tests/box.sh sh -ec '
		cp -r "$BUILD/deb/source" /srv/source
		timeout 600 autopkgtest --no-built-binaries "$(ls "$BUILD"/deb/print-connector_*.deb)" \
			/srv/source -- null'
}

# On any Debian there is systemd; what its own installation leaves is not ours.
piuparts_is_content() {
	mmdebstrap --quiet --variant=minbase --include=systemd bookworm "$work/base.tar.gz" \
		"${sources[@]}" &&
		piuparts -b "$work/base.tar.gz" -d bookworm --no-eatmydata "$deb"
}

# The same package under a higher version.
newer_deb() {
	dpkg-deb -R "$deb" "$work/newer" &&
		sed -i 's/^Version: /Version: 1:/' "$work/newer/DEBIAN/control" &&
		dpkg-deb -Znone -b "$work/newer" "$1"
}

installed_by_apt() {
	new_root root cups,iproute2 && cp "$deb" "$work/root/package.deb" &&
		newer_deb "$work/root/newer.deb" &&
		cp -L /etc/resolv.conf "$work/root/etc/resolv.conf" &&
		chroot "$work/root" apt-get update &&
		chroot "$work/root" env DEBIAN_FRONTEND=noninteractive \
			apt-get install -y --no-install-recommends /package.deb
}

# It is enabled, so it runs after boot; it is upgraded, removed, installed again and purged.
lived_there() {
	# shellcheck disable=SC2016 # for the box
	BUILD="$build" BOX_ROOT="$work/root" tests/box.sh sh -ec "$lived"'
		first=$(systemctl show --value -p MainPID print-connector)
		dpkg -i /newer.deb
		[ "$(systemctl show --value -p MainPID print-connector)" != "$first" ]'"$lived"'
		dpkg -r print-connector
		[ "$(systemctl is-active print-connector)" = inactive ]
		[ ! -e /usr/sbin/print-connectord ]
		[ ! -e /run/print-connector ]
		[ -e /var/lib/print-connector/state.db ]
		[ -e /etc/print-connector/print-connector.conf ]
		dpkg -i /newer.deb'"$lived"'
		dpkg -P print-connector
		[ "$(systemctl is-active print-connector)" = inactive ]
		left=$(find /etc /lib/systemd /run /usr /var -xdev -name "*print-connector*")
		echo "left: $left"
		[ -z "$left" ]'
}

# The libraries that the RPM would require are called otherwise here.
root_for_rpm() {
	new_root rpmroot "cups,rpm,ca-certificates,$(dpkg-deb -f "$deb" Depends |
		grep -oE '\blib[a-z0-9.+-]+' | paste -sd,)"
}

# Its scripts and lists of files; the service is the same. Installed over itself stands for an upgrade.
lived_as_rpm() {
	# shellcheck disable=SC2016 # for the box
	BUILD="$build" BOX_ROOT="$work/rpmroot" tests/box.sh sh -ec '
		rpm=$(ls "$BUILD"/rpm/RPMS/*/print-connector-[0-9]*.rpm)
		rpm -i --nodeps --ignorearch "$rpm"
		rpm -V --nodeps print-connector
		id print-connector
		stat -c "%a %U" /etc/print-connector/credentials | grep -x "700 root"
		systemctl start print-connector'"$lived"'
		first=$(systemctl show --value -p MainPID print-connector)
		rpm -U --force --nodeps --ignorearch "$rpm"
		[ "$(systemctl show --value -p MainPID print-connector)" != "$first" ]'"$lived"'
		files=$(rpm -ql print-connector)
		rpm -e print-connector
		[ "$(systemctl is-active print-connector)" = inactive ]
		left=$(for file in $files; do [ ! -e "$file" ] || echo "$file"; done)
		echo "left: $left"
		[ "$left" = /etc/print-connector ]
		[ -e /var/lib/print-connector/state.db ]'
}

for step in "${steps[@]}"; do
	case $step in
	lintian) try "lintian" lintian_is_silent ;;
	rpmlint) try "rpmlint" rpmlint_has_no_warnings ;;
	autopkgtest) try "the Debian package's own test" own_test ;;
	piuparts) try "piuparts" piuparts_is_content ;;
	debian)
		try "the Debian package, installed on a minimal system" installed_by_apt
		try "used there, upgraded, removed, installed again, purged" lived_there
		;;
	rpm)
		try "a minimal system with rpm" root_for_rpm
		try "the RPM there, installed, used, installed over, erased" lived_as_rpm
		;;
	*) try "$step" false ;;
	esac
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
