#!/usr/bin/env bash
# `serialize` of `node:v8` writes the bytes that a typed array shows in Node, and the whole buffer
# around them in Bun: 16 bytes of a large buffer become a large message, and the neighbours' bytes
# are in it.
#
# What to do: in Bun, copy a view (`view.slice()`) before you serialize it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent node@24.21.0 bun@1.4.5

cat > views.cjs <<'END'
const { serialize } = require('node:v8')
const buffer = new ArrayBuffer(1 << 20)
new Uint8Array(buffer).fill(7)
const view = new Uint8Array(buffer, 1000, 16)
const name = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`
const sizes = [view, view.slice()].map(bytes => (serialize({ bytes }).length > 1 << 20 ? 'more than 1 MiB' : 'less than 200 bytes'))
console.log(`${name}: a view of 16 bytes: ${sizes[0]}; its copy: ${sizes[1]}`)
END
seen=$(node_modules/.bin/node views.cjs && node_modules/.bin/bun views.cjs)
echo "$seen"

expected='Node 24.21.0: a view of 16 bytes: less than 200 bytes; its copy: less than 200 bytes
Bun 1.4.5: a view of 16 bytes: more than 1 MiB; its copy: less than 200 bytes'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
