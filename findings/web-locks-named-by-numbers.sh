#!/usr/bin/env bash
# In Deno's `navigator.locks` a number as a name is not made a string: 5 and '5' are two locks that
# two callbacks hold at once, and `query()` shows an empty name for 5. In Node they are one lock, as
# in browsers, since the name is a DOMString. An id from a database is a number in one place, and a
# string from a URL in another.
#
# What to do: pass `String(id)`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent node@26.10.0 deno@2.9.6
cat > names.mjs <<'END'
const runtime = globalThis.Deno ? `Deno ${Deno.version.deno}` : `Node ${process.versions.node}`
const { locks } = navigator
await locks.request(5, async () => {
  const second = await locks.request('5', { ifAvailable: true }, lock => (lock ? 'is free' : 'is held'))
  const { held } = await locks.query()
  console.log(`${runtime}: while 5 is held, '5' ${second}; query() has ${JSON.stringify(held[0].name)}`)
})
END
seen=$(node_modules/.bin/node names.mjs
node_modules/.bin/deno run names.mjs)
echo "$seen"

expected="Node 26.10.0: while 5 is held, '5' is held; query() has \"5\"
Deno 2.9.6: while 5 is held, '5' is free; query() has \"\""
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
