#!/usr/bin/env bash
# `Atomics.waitAsync` with a timeout keeps the process alive in Bun. In Node the program ends before
# the timeout with exit code 13, and in Deno with an error and exit code 1: their event loops don't
# know of the wait. With anything else pending the wait ends in time.
#
# What to do: keep something open while you wait, as a timer: `setInterval(() => {}, 1000)`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent node@26.10.0 deno@2.9.6 bun@1.4.5
echo 'const timer = null' > alone.mjs
echo 'const timer = setInterval(() => {}, 1000)' > beside-a-timer.mjs
for file in alone beside-a-timer; do
  cat >> "$file.mjs" <<'END'
const word = new Int32Array(new SharedArrayBuffer(4))
console.log(await Atomics.waitAsync(word, 0, 0, 100).value)
clearInterval(timer)
END
done
seen=$(for runtime in node 'deno run' bun; do
  for file in alone beside-a-timer; do
    code=0
    # shellcheck disable=SC2086 # the runtime and its subcommand
    printed=$(node_modules/.bin/$runtime "$file.mjs" 2> errors) || code=$?
    echo "$runtime, $file: ${printed:-nothing}, exit code $code"
  done
done)
echo "$seen"

expected='node, alone: nothing, exit code 13
node, beside-a-timer: timed-out, exit code 0
deno run, alone: nothing, exit code 1
deno run, beside-a-timer: timed-out, exit code 0
bun, alone: timed-out, exit code 0
bun, beside-a-timer: timed-out, exit code 0'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
