#!/bin/sh
# Runs the JavaScript client's tests, which need no browser and no server.
set -eu

folder=$(cd "$(dirname "$0")" && pwd)
"$folder/../e2e/install.sh" node npm typescript
exec node --test "$folder"/*.test.mjs
