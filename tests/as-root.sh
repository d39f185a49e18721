#!/bin/sh
# as-root.sh [NAME=VALUE...] COMMAND...: runs a test as root, which private cupsd and printers need.
set -eu
[ "$(id -u)" -ne 0 ] || exec env "$@"
if ! command -v sudo >/dev/null; then
	echo "this needs root to start a private cupsd: run it as root, or install sudo" >&2
	exit 1
fi
exec sudo env "$@"
