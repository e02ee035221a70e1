#!/usr/bin/env bash
# In lmdb for Node, -0 is a key of its own: `get(0)` doesn't find what `put(-0)` wrote, and a walk
# over the keys shows an array with a control character and null where the key was. A `Map` and a
# plain object take 0 and -0 as one key. -0 comes from plain arithmetic: `Math.round(-0.2)`, `-1 * 0`.
#
# What to do: add 0 to numbers that become keys: `-0 + 0` is 0.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent lmdb@3.5.6 node@22.23.3
cat > zeros.mjs <<'END'
import { open } from 'lmdb'

const database = open({ path: 'database' })
await database.put(Math.round(-0.2), 'minus zero')
console.log('get(0):', database.get(0))
console.log('get(-0):', database.get(-0))
console.log('keys:', JSON.stringify([...database.getKeys()]))
console.log('in a Map:', new Map([[Math.round(-0.2), 'minus zero']]).get(0))
await database.close()
END
seen=$(node_modules/.bin/node zeros.mjs)
echo "$seen"

expected='get(0): undefined
get(-0): minus zero
keys: [["\u0018",null]]
in a Map: minus zero'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
