#!/usr/bin/env bash
# A typed array that arrives by `process.send` with `serialization: 'advanced'` shows one of three
# kinds of memory, and that decides what transferring it to a worker does:
#   - a short one: Node's pool of Buffers, beside other messages. Node 22 refuses to transfer it,
#     Node 20 copies it, Node 26 has given it memory of its own.
#   - a long one: the bytes of the whole message, so the worker gets these, too; but memory of its
#     own if the array begins at an odd place in the message. The length of a property's name is
#     enough: `ab` instead of `a`.
#
# What to do: transfer a copy, `array.slice()`; never use `array.buffer` without `byteOffset` and
# `length`.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
cat > transfer.cjs <<'END'
const { fork } = require('node:child_process')
if (process.send) {
  process.on('message', message => {
    const [name, array] = Object.entries(message)[0]
    const memory = `${array.byteLength} bytes of ${array.buffer.byteLength}`
    let then
    try {
      structuredClone(array, { transfer: [array.buffer] })
      then = array.length === 0 ? 'transferred' : 'copied'
    } catch (error) {
      then = `${error.name}: ${error.message}`
    }
    console.log(`  ${name}: ${memory}, ${then}`)
    process.disconnect()
  })
} else {
  const messages = [{ a: new Float64Array(2) }, { a: new Float64Array(20000) }, { ab: new Float64Array(20000) }]
  console.log(`Node ${process.versions.node}`)
  const next = () => {
    const message = messages.shift()
    if (message === undefined) return
    const child = fork(__filename, { serialization: 'advanced' })
    child.send(message)
    child.on('exit', next)
  }
  next()
}
END
seen=$(for version in 20.20.2 22.23.3 26.10.0; do
  npm install --no-audit --no-fund --silent "node@$version"
  node_modules/.bin/node transfer.cjs
done)
echo "$seen"

expected='Node 20.20.2
  a: 16 bytes of 8192, copied
  a: 160000 bytes of 160018, transferred
  ab: 160000 bytes of 160000, transferred
Node 22.23.3
  a: 16 bytes of 8192, DataCloneError: Cannot transfer object of unsupported type.
  a: 160000 bytes of 160018, transferred
  ab: 160000 bytes of 160000, transferred
Node 26.10.0
  a: 16 bytes of 16, transferred
  a: 160000 bytes of 160018, transferred
  ab: 160000 bytes of 160000, transferred'
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
