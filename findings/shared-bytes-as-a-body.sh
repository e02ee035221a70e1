#!/usr/bin/env bash
# The body of a `Response` (and of `fetch`) from bytes in a `SharedArrayBuffer`: Node 22 refuses
# them, Bun sends them, and Node 26 sends their numbers as text, "104,105" for the two bytes "hi".
# Nothing says so. A `Blob` of the same bytes is right in each of them.
#
# What to do: give `Response` and `fetch` a copy, `bytes.slice()`, or a `Blob`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
cat > body.mjs <<'END'
const bytes = new Uint8Array(new SharedArrayBuffer(2))
bytes.set([104, 105])
const runtime = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`
const text = async of => {
  try {
    return `"${await of().text()}"`
  } catch (error) {
    return error.name
  }
}
console.log(
  `${runtime}: Response ${await text(() => new Response(bytes))}, Blob ${await text(() => new Blob([bytes]))}`,
)
END
seen=$(for version in 22.23.3 26.10.0; do
  npm install --no-audit --no-fund --silent "node@$version"
  node_modules/.bin/node body.mjs
done
npm install --no-audit --no-fund --silent bun@1.4.5
node_modules/.bin/bun body.mjs)
echo "$seen"

expected='Node 22.23.3: Response TypeError, Blob "hi"
Node 26.10.0: Response "104,105", Blob "hi"
Bun 1.4.5: Response "hi", Blob "hi"'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
