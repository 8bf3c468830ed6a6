#!/bin/sh
# Makes an application in a folder that is there: of these files, with the client installed as npm brings it to anybody,
# packed and without a network: project.sh FOLDER [FILE]…
set -eu

project=$1
shift
package=$(cd "$(dirname "$0")/.." && pwd)
cp "$@" "$project"
# Whoever forbids scripts to npm would get a package without its licence.
packed=$(cd "$package" && npm pack --silent --ignore-scripts=false --pack-destination "$project")
cd "$project"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --offline --no-audit --no-fund "./$packed"
