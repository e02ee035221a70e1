#!/usr/bin/env bash
# tinypool and workerpool run the same function in threads or in processes, by one option. In
# threads arguments are cloned; in processes they are JSON, and nothing says so: a Map arrives
# empty, NaN as null, a Date as a string, a Float64Array as an object with numbered keys.
# jest-worker, which has such an option, too, clones them in both.
#
# What to do: in workerpool, pass `forkOpts: { serialization: 'advanced' }`; in tinypool, stay with
# threads, or send what JSON knows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{}' > package.json
npm install --no-audit --no-fund --silent tinypool@2.2.0 workerpool@10.0.3 jest-worker@30.5.1 node@22.23.3
cat > show.cjs <<'END'
const { inspect } = require('node:util')
module.exports = value => inspect(value)
module.exports.show = module.exports
END
echo "require('workerpool').worker({ show: require('./show.cjs') })" > worker.cjs
cat > pools.mjs <<'END'
import { Worker } from 'jest-worker'
import { Tinypool } from 'tinypool'
import workerpool from 'workerpool'

const values = [new Map([['a', 1]]), Number.NaN, new Date(0), new Float64Array([0.5])]
const filename = `${process.cwd()}/show.cjs`
for (const runtime of ['worker_threads', 'child_process']) {
  const pool = new Tinypool({ filename, runtime, minThreads: 1, maxThreads: 1 })
  const seen = await Promise.all(values.map(value => pool.run(value)))
  console.log(`tinypool, ${runtime}: ${seen.join(' | ')}`)
  await pool.destroy()
}
for (const options of [
  { workerType: 'thread' },
  { workerType: 'process' },
  { workerType: 'process', forkOpts: { serialization: 'advanced' } },
]) {
  const pool = workerpool.pool(`${process.cwd()}/worker.cjs`, { maxWorkers: 1, ...options })
  const seen = await Promise.all(values.map(value => pool.exec('show', [value])))
  console.log(`workerpool, ${Object.keys(options)}, ${options.workerType}: ${seen.join(' | ')}`)
  await pool.terminate()
}
const pool = new Worker(filename, { numWorkers: 1, exposedMethods: ['show'] })
const seen = await Promise.all(values.map(value => pool.show(value)))
console.log(`jest-worker, processes: ${seen.join(' | ')}`)
await pool.end()
END
seen=$(node_modules/.bin/node pools.mjs)
echo "$seen"

cloned="Map(1) { 'a' => 1 } | NaN | 1970-01-01T00:00:00.000Z | Float64Array(1) [ 0.5 ]"
json="{} | null | '1970-01-01T00:00:00.000Z' | { '0': 0.5 }"
expected="tinypool, worker_threads: $cloned
tinypool, child_process: $json
workerpool, workerType, thread: $cloned
workerpool, workerType, process: $json
workerpool, workerType,forkOpts, process: $cloned
jest-worker, processes: $cloned"
[ "$seen" = "$expected" ] || { echo 'This has changed.' >&2; exit 1; }
