// `npm run test:runtimes [-- --only bun --only deno]`: the tests on other Node versions, and on Bun
// and Deno the README's examples and handles in `exit` listeners, each as it comes from npm. Not
// part of `npm test`: it downloads half a gigabyte.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { install } from './install-runtime.mjs'
import { setup } from './setup.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
const results = []
const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } })
const isWanted = runtime => values.only?.includes(runtime) ?? true

setup()
for (const version of [20, 22, 24, 26]) {
  if (!isWanted('node')) break
  const node = install(`node@${version}`, 'node')
  results.push([run(node, '--version').stdout.trim(), report(run(node, ava))])
}
for (const [name, ...options] of [
  ['bun', 'run'],
  ['deno', 'run', '-A'],
]) {
  if (!isWanted(name)) continue
  const binary = install(`${name}@latest`, name)
  const version = `${name} ${run(binary, '--version').stdout.split('\n')[0]}`
  results.push([version, examples(binary, options)], [version, await exits(binary, options)])
}
for (const [runtime, result] of results) console.log(`${runtime.padEnd(24)} ${result}`)
process.exitCode = results.every(([, result]) => !result.includes('FAILED')) ? 0 : 1

function run(binary, ...args) {
  return spawnSync(binary, args, {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, CROSSMEM_DOMAIN: 'runtimes' },
  })
}

function report({ status, stdout }) {
  const counts = stdout.match(/\d+ tests? (passed|failed|skipped)/g)?.join(', ') ?? 'no test ran'
  if (status !== 0) console.error(stdout)
  return status === 0 ? counts : `FAILED: ${counts}`
}

function examples(binary, options) {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = [...readme.matchAll(/```js\n(.*?)```\s*```text\n(.*?)```/gs)]
  const folder = join(root, 'build', 'readme')
  mkdirSync(folder, { recursive: true })
  let passed = 0
  for (const [i, [, code, prints]] of blocks.entries()) {
    const file = join(folder, `runtime-${i}.mjs`)
    writeFileSync(file, code)
    const { stdout, stderr, status } = run(binary, ...options, file)
    // How an array is printed is the runtime's own affair.
    const plain = text => text.replace(/\s+/g, '')
    if (status === 0 && plain(stdout) === plain(prints)) passed++
    else console.error(`example ${i + 1} on ${binary}: status ${status}\n${stdout}\n${stderr}`)
  }
  return `${passed === blocks.length ? '' : 'FAILED: '}${passed} of ${blocks.length} README examples`
}

/** Handles work in `exit` listeners, and an agent leaves at once, however its thread ends. */
async function exits(binary, options) {
  process.env.CROSSMEM_DOMAIN = 'runtimes'
  const { list, Queue } = await import('../dist/index.mjs')
  const program = join(root, 'build', '__test__', 'fixtures', 'native', 'use-at-exit.js')
  const all = ['main', 'worker'].flatMap(where =>
    ['naturally', 'exit', 'throw', 'exit in a listener'].map(end => ({ where, end })),
  )
  let passed = 0
  for (const { where, end } of all) {
    const queue = Queue.create(null)
    const orders = { queue: queue.name, left: `${queue.name}-left`, where, firstUse: 'before', end }
    const { stdout, stderr } = run(binary, ...options, program, JSON.stringify(orders))
    const said = queue.tryGetMany(100).length
    const left = list().filter(({ name }) => name.startsWith(orders.left)).length
    queue.close()
    // Deno has no `exit` event after an exception in its main thread.
    const isSilent = binary.endsWith('deno') && where === 'main' && end === 'throw'
    const isWell =
      said === (isSilent ? 0 : 5) && left === 0 && (where === 'main' || stdout.includes('"left":[]'))
    if (isWell) passed++
    else console.error(`${binary}, ${where} ends, ${end}: ${said} said, ${left} left\n${stdout}\n${stderr}`)
  }
  return `${passed === all.length ? '' : 'FAILED: '}${passed} of ${all.length} ends with exit listeners`
}
