#!/bin/sh
# Runs the JavaScript client's tests, which need no browser and no server.
set -eu

folder=$(cd "$(dirname "$0")" && pwd)
"$folder/../e2e/install.sh" node npm typescript
# A Node.js that was brought because the system's is too old goes before it.
PATH="${XDG_CACHE_HOME:-$HOME/.cache}/yanlink-tools/web/bin:$PATH"
exec node --test "$folder"/*.test.mjs
