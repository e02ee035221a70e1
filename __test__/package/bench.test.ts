import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ava from 'ava'
import type { Results } from '../../bench/report/results.js'
import { compiled } from '../helpers/paths.js'

const out = mkdtempSync(join(tmpdir(), 'crossmem-bench-'))
ava.after.always(() => rmSync(out, { recursive: true }))

/** A figure with its unit, as `12.3 µs`. */
const DURATION = /^(\d[\d,.]*) (ns|µs|ms|s)$/
/** Rows on every machine; others need Linux or Python. */
const EVERYWHERE = [
  'crossmem: a reference',
  'crossmem: a reference, open already',
  'crossmem: copied in, then a reference',
  "process.send, 'advanced'",
  "process.send, 'json', as base64",
  "process.send, 'json', as numbers",
  'process.send of nothing',
  'SharedArrayBuffer',
  'postMessage, transferred',
  'postMessage, copied',
  'crossmem: NDArray.data',
  'private Float64Array',
  'crossmem',
  'crossmem, both buffers shown',
  'crossmem: SharedMemory open, close',
  'crossmem: NDArray open, close',
  'fs.openSync, closeSync',
  'crossmem: get(i, j)',
  'data[i * columns + j]',
  'crossmem: set(i, j, value)',
  'crossmem: update(), empty',
  'crossmem: snapshot() of 1 MiB',
  'data.slice()',
  'crossmem: lockSync(), release()',
  'crossmem: using',
  'crossmem: await lock(), release()',
  'crossmem: Semaphore',
  'two empty Node-API calls',
  'crossmem: Mutex',
  'crossmem: two Events',
  'crossmem: two Semaphores',
  'crossmem: await lock()',
  'crossmem: lockSync()',
  'process.send, there and back',
  "process.send, 'json'",
  'threads: postMessage, copied',
  'threads: postMessage, transferred',
  'crossmem: Pool',
  'crossmem: Pool, SharedArray',
  'crossmem: Pool, threads',
  'bare forks',
  'crossmem: SharedMap',
  'crossmem: SharedMap with maxBytes',
  'cluster primary: process.send',
  'crossmem ls',
  'crossmem doctor',
  'crossmem: Manager',
]
const ON_LINUX = [
  'system calls, same guarantees',
  'system calls, may be seen half-made',
  'system calls, nothing reserved',
  'Unix socket',
  'Rust threads: rtrb, spinning',
  'Rust threads: rtrb, yielding',
  'Rust threads: ArrayQueue, spinning',
  'Rust threads: ArrayQueue, yielding',
]

ava('a quick run measures every row and draws every plot', t => {
  const program = compiled('bench', 'main.js')
  const run = spawnSync(process.execPath, [program, '--quick', '--out', out], { encoding: 'utf8' })
  t.is(run.status, 0, run.stderr)
  const page = readFileSync(join(out, 'RESULTS.md'), 'utf8')
  const rows = page
    .split('\n')
    .map(line => line.split(' | '))
    .filter(cells => cells.length >= 5 && DURATION.test(cells[1] as string))
  const names = rows.map(([name]) => (name as string).replace(/^\| /, ''))
  for (const name of [...EVERYWHERE, ...(process.platform === 'linux' ? ON_LINUX : [])]) {
    t.true(names.includes(name), `no figure for ${name}`)
  }
  for (const name of [
    /^tinypool \d\S+, processes$/,
    /^workerpool \d\S+, threads$/,
    /^poolifier \d\S+, cluster$/,
    /^jest-worker \d\S+, processes$/,
    /^multiprocess-pool \d/,
    /^piscina \d\S+, threads, move$/,
    /^threads: ringbuf\.js \d/,
    /^threads: comlink \d/,
    ...(process.platform === 'win32' ? [] : [/^ZeroMQ: zeromq\.js \d/]),
  ]) {
    t.true(
      names.some(found => name.test(found)),
      `no figure for ${name}`,
    )
  }
  for (const [name, median, , factor] of rows) {
    const figures = [DURATION.exec(median as string)?.[1], factor].map(text =>
      Number(text?.replaceAll(',', '')),
    )
    t.true(
      figures.every(figure => Number.isFinite(figure) && figure > 0),
      `${name}: ${median}, ×${factor}`,
    )
  }
  t.notRegex(page, /NaN|Infinity|undefined/)
  const results = JSON.parse(readFileSync(join(out, 'results.json'), 'utf8')) as Results
  t.true(results.quick)
  for (const { title, lines } of results.sections.flatMap(({ curves }) => curves ?? [])) {
    for (const { name, points } of lines) {
      t.is(points.length, lines[0]?.points.length as number, `${title}: ${name} lacks a point`)
      t.true(
        points.every(({ y }) => Number.isFinite(y) && y > 0),
        `${title}: ${name}`,
      )
    }
  }
  t.deepEqual(
    [...page.matchAll(/\]\(([\w-]+\.svg)\)/g)].map(([, plot]) => plot as string).sort(),
    readdirSync(out)
      .filter(name => name.endsWith('.svg'))
      .sort(),
    'the page shows every plot',
  )
  for (const [, plot] of page.matchAll(/\]\(([\w-]+\.svg)\)/g)) {
    const svg = readFileSync(join(out, plot as string), 'utf8')
    t.regex(svg, /^<svg .*<\/svg>\n$/s)
    t.notRegex(svg, /NaN|Infinity|undefined/)
  }
})
