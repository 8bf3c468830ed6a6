#!/bin/sh
# Brings what the page's tests need: Chromium and Node.js, or only the one that is named: install.sh [chromium] [node].
# Does nothing where they are there.
set -eu

has() {
	for name in "$@"; do
		[ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && return 0
	done
	return 1
}

[ $# -gt 0 ] || set -- chromium node
missing=""
for wanted in "$@"; do
	case "$wanted" in
	chromium) has "${CHROMIUM:-}" chromium chromium-browser google-chrome || missing="$missing chromium" ;;
	node) has node || missing="$missing nodejs" ;;
	*) echo "install.sh: $wanted is neither chromium nor node" >&2 && exit 2 ;;
	esac
done
missing=${missing# }
[ -n "$missing" ] || exit 0

if ! has apt-get; then
	echo "the page's tests: please install $missing with this system's packages (CHROMIUM may name a browser)" >&2
	exit 1
fi
if [ "$(id -u)" != 0 ]; then
	echo "the page's tests: please run: sudo apt-get install --no-install-recommends $missing" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086 # two words are two packages
apt-get install -q -y --no-install-recommends $missing
