#!/bin/sh
# Brings what the tests of deploy/ need, into the cache: Helm from its sources, nginx and promtool from Debian's packages,
# which are unpacked and not installed, so that nothing is started and nobody has to be root. Does nothing where they are
# there.
set -eu

helm=v3.19.2
tools=${XDG_CACHE_HOME:-$HOME/.cache}/yanlink-tools/deploy
mkdir -p "$tools"

if [ "$(cat "$tools/helm.version" 2>/dev/null || true)" != "$helm" ]; then
	echo "building helm $helm"
	GOBIN="$tools" go install "helm.sh/helm/v3/cmd/helm@$helm"
	echo "$helm" >"$tools/helm.version"
fi

get() { apt-get -o APT::Sandbox::User= download -q "$1"; }

for wanted in nginx:usr/sbin/nginx prometheus:usr/bin/promtool; do
	package=${wanted%%:*} program=${wanted#*:}
	[ ! -x "$tools/$(basename "$program")" ] || continue
	if ! command -v apt-get >/dev/null 2>&1 || ! command -v dpkg >/dev/null 2>&1; then
		echo "the tests of deploy/: please put $(basename "$program") of this system into $tools" >&2
		exit 1
	fi
	echo "fetching $package"
	unpacked=$(mktemp -d)
	(
		cd "$unpacked"
		get "$package" || { apt-get update -q && get "$package"; }
		dpkg -x "$package"_*.deb .
	)
	mv "$unpacked/$program" "$tools/"
	rm -r "$unpacked"
done
