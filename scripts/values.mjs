// `npm run test:values`: each runtime puts every kind of value into queues, and each runtime takes
// them out. Writes the tables of docs/runtimes.md. Not part of `npm test`: it downloads half a gigabyte.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { install } from './install-runtime.mjs'
import { setup } from './setup.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const program = join(root, 'build', '__test__', 'fixtures', 'codecs', 'exchange.js')
const env = { ...process.env, CROSSMEM_DOMAIN: 'values' }

setup()
const runtimes = [
  ...[20, 22, 24, 26].map(version => runtime('Node', `node@${version}`, 'node')),
  runtime('Bun', 'bun@latest', 'bun', 'run'),
  runtime('Deno', 'deno@latest', 'deno', 'run', '-A'),
]

const results = []
for (const writer of runtimes) {
  const queues = runtimes.map((_, i) => `values-${process.pid}-${i}`)
  run(writer, 'put', ...queues)
  for (const [i, reader] of runtimes.entries()) {
    const { values, refused } = JSON.parse(run(reader, 'get', queues[i]))
    results.push({ writer, reader, values, refused })
  }
}

const page = join(root, 'docs', 'runtimes.md')
writeFileSync(
  page,
  readFileSync(page, 'utf8').replace(/(<!-- values:begin.*?-->\n).*(<!-- values:end -->)/s, section),
)
const faults = results.flatMap(({ writer, reader, values, refused }) =>
  Object.entries({ ...values, ...refused })
    .filter(([, fault]) => fault !== '')
    .map(([kind, fault]) => `${writer.name} to ${reader.name}: ${kind}: ${fault}`),
)
for (const fault of faults) console.error(fault)
console.log(
  `${results.length} pairs of runtimes, ${faults.length} values that arrived wrong: docs/runtimes.md`,
)
process.exitCode = faults.length === 0 ? 0 : 1

function runtime(name, spec, binary, ...options) {
  const path = install(spec, binary)
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  const [version] = stdout.match(/\d+\.\d+\.\d+/)
  return { name: `${name} ${version}`, path, options }
}

function run({ name, path, options }, ...args) {
  const { status, stdout, stderr } = spawnSync(path, [...options, program, ...args], {
    encoding: 'utf8',
    env,
    maxBuffer: 1 << 26,
  })
  if (status !== 0) throw new Error(`${name}: ${args.join(' ')}: ${stderr}`)
  return stdout
}

/** The tables, between the two comments of the page. */
function section(_, begin, end) {
  const names = runtimes.map(({ name }) => name)
  const cell = ({ values }) => {
    const all = Object.values(values)
    return `${all.filter(fault => fault === '').length} of ${all.length}`
  }
  const pairs = runtimes.map(writer => [
    writer.name,
    ...results.filter(result => result.writer === writer).map(cell),
  ])
  const kinds = Object.keys(results[0].values).map(kind => [
    kind,
    ...runtimes.map(reader =>
      verdict(results.filter(result => result.reader === reader && result.values[kind] !== '')),
    ),
  ])
  const refusals = Object.keys(results[0].refused).map(kind => [
    `\`${kind}\``,
    ...runtimes.map(writer =>
      results.some(result => result.writer === writer && result.refused[kind] !== '') ? 'no' : 'yes',
    ),
  ])
  return `${begin}
Each runtime puts every kind of value into queues of the default codec, and each runtime takes them out and compares them: classes, properties, bytes, holes, and which objects are the same one.

A cell says how many kinds of values arrived as they were put in.

${table(['put by ↓, taken out by →', ...names], pairs)}

### By kind of value

A cell says from which runtimes a value of the row's kind arrives at the runtime of the column.

${table(['', ...names], kinds)}

A runtime without \`Float16Array\` (Node 20 and 22) gets a \`Uint16Array\` of its raw bits, as [arrays](arrays.md) show them there.

### What can't travel

A cell says whether a \`put\` in the runtime of the column refuses the value with \`ERR_INVALID_ARG\` and the path to it.

${table(['', ...names], refusals)}

${end}`
}

function verdict(faulty) {
  return faulty.length === 0 ? 'all' : `not from ${faulty.map(({ writer }) => writer.name).join(', ')}`
}

function table(head, rows) {
  const line = cells => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
