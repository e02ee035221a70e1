#!/usr/bin/env bash
# lmdb takes arrays as keys, but an array with one element is not told apart from the element: what
# is written at ['a'] is overwritten at 'a'. With a number it is worse: an entry at [1] is listed
# with the key 1, and there is nothing at 1.
#
# What to do: never use keys of one element beside plain ones, or add a second element to all:
# ['a', 0].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent lmdb@3.5.6 node@22.23.3
cat > keys.mjs <<'END'
import { open } from 'lmdb'

const db = open({ path: 'db' })
await db.put(['a'], 'at a list')
await db.put('a', 'at a string')
await db.put([1], 'at a list with a number')
const entries = [...db.getRange()]
console.log(`3 entries were written, ${entries.length} are there`)
console.log(`at ["a"]: ${db.get(['a'])}`)
for (const { key, value } of entries) console.log(`${JSON.stringify(key)}: ${value}, get(): ${db.get(key)}`)
await db.close()
END
seen=$(node_modules/.bin/node keys.mjs)
echo "$seen"

expected='3 entries were written, 2 are there
at ["a"]: at a string
1: at a list with a number, get(): undefined
"a": at a string, get(): at a string'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
