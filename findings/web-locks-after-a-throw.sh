#!/usr/bin/env bash
# `navigator.locks` of Node 24 and 26: if the callback of `request` throws before its first `await`,
# the lock stays held until the process ends, and all later requests of that name wait. An async
# callback that throws releases it. Deno releases it in both cases, as the Web Locks API says.
#
# What to do: make the callback `async`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
cat > throw.mjs <<'END'
const runtime = globalThis.Deno ? `Deno ${Deno.version.deno}` : `Node ${process.versions.node}`
const { locks } = navigator
const failing = {
  'async callback': async () => {
    throw new Error('no')
  },
  'plain callback': () => {
    throw new Error('no')
  },
}
for (const [name, callback] of Object.entries(failing)) {
  await locks.request(name, callback).catch(() => {})
  const { held } = await locks.query()
  const again = await locks.request(name, { ifAvailable: true }, lock => (lock ? 'free' : 'not available'))
  console.log(`${runtime}, ${name}: ${held.length} held, ${again}`)
}
END
seen=$(for version in 24.21.0 26.10.0; do
  npm install --no-audit --no-fund --silent "node@$version"
  node_modules/.bin/node throw.mjs
done
npm install --no-audit --no-fund --silent deno@2.9.6
node_modules/.bin/deno run throw.mjs)
echo "$seen"

expected='Node 24.21.0, async callback: 0 held, free
Node 24.21.0, plain callback: 1 held, not available
Node 26.10.0, async callback: 0 held, free
Node 26.10.0, plain callback: 1 held, not available
Deno 2.9.6, async callback: 0 held, free
Deno 2.9.6, plain callback: 0 held, free'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
