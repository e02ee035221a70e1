#!/usr/bin/env bash
# Node 20 and 22 have `Symbol.dispose`, but the contexts that `node:vm` makes don't: Node adds the
# symbol to its main context alone. In code that runs in such a context, as tests do under Jest, a
# method `[Symbol.dispose]` is called "undefined", and `using` compiled by TypeScript throws. From
# Node 24 on, V8 has the symbol in each context.
#
# What to do: in such a context use `Symbol.dispose ?? Symbol.for('nodejs.dispose')`: Node's own
# symbol is registered under that name.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
cat > contexts.cjs <<'END'
const { runInNewContext } = require('node:vm')
const inside = runInNewContext("[typeof Symbol.dispose, Symbol.for('nodejs.dispose')]")
const isNodes = inside[1] === Symbol.dispose ? 'the same' : 'another'
console.log(`Node ${process.versions.node}: ${typeof Symbol.dispose}, in a context ${inside[0]}; the registered symbol is ${isNodes}`)
END
seen=$(for version in 20.20.2 22.23.3 24.21.0; do
  npm install --no-audit --no-fund --silent "node@$version"
  node_modules/.bin/node contexts.cjs
done)
echo "$seen"

expected='Node 20.20.2: symbol, in a context undefined; the registered symbol is the same
Node 22.23.3: symbol, in a context undefined; the registered symbol is the same
Node 24.21.0: symbol, in a context symbol; the registered symbol is another'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
