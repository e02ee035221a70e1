// `npm run cross`: builds the addons for the other platforms with Linux, as a release does, and runs
// what a Debian or Ubuntu on x64 can run of them: processes of two platforms that share a domain,
// and tests of the package in a Node for musl. Not part of `npm test`: it downloads 250 MB and takes
// some minutes.
//   --built      takes the addons that are in build/addons
//   --only musl  some platforms: musl, arm64 or glibc
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { isDeepStrictEqual, parseArgs } from 'node:util'
import { run } from '../packages/run.mjs'
import { platformPackages, root } from '../packages/set.mjs'
import { armNode, muslNode, oldGlibcNode } from './tools.mjs'

const { values } = parseArgs({ options: { built: { type: 'boolean' }, only: { type: 'string' } } })
const member = fileURLToPath(new URL('member.mjs', import.meta.url))
const TESTS = ['arrays/value', 'queues/spsc-queue', 'locks/mutex']

/** What the process sees that isn't killed. */
const EXPECTED = {
  answer: { first: '1180591620717411303424 é 1000000000000 1,2', second: 100_000, sum: 3000 },
  ownerDied: true,
  refused: 'ERR_PEER_DIED',
  repaired: 1000,
  sum: 5000,
}

const TARGETS = [
  'x86_64-unknown-linux-musl',
  'aarch64-unknown-linux-gnu',
  'aarch64-unknown-linux-musl',
  'x86_64-unknown-linux-gnu',
]
if (!values.built) {
  for (const target of TARGETS)
    run(process.execPath, [join(root, 'scripts', 'packages', 'build.mjs'), target], { stdio: 'inherit' })
}
const host = { name: 'x64 gnu', command: [process.execPath] }
const musl = { name: 'x64 musl', command: await muslNode('x86_64'), addon: addon(TARGETS[0]) }
const arm = { name: 'arm64 gnu, qemu', command: armNode(), addon: addon(TARGETS[1]) }
const armMusl = { name: 'arm64 musl, qemu', command: await muslNode('aarch64'), addon: addon(TARGETS[2]) }
const old = { name: 'x64 glibc 2.31', command: await oldGlibcNode(), addon: addon(TARGETS[3]) }
const others = [musl, arm, armMusl, old].filter(
  ({ name }) => values.only === undefined || name.includes(values.only),
)
const rows = []
for (const other of others) {
  for (const [maker, joiner] of [
    [other, other],
    [host, other],
    [other, host],
  ])
    rows.push([maker.name, joiner.name, await share(maker, joiner)])
}
console.log('| makes the objects | is killed with them | |\n| --- | --- | --- |')
for (const cells of rows) console.log(`| ${cells.join(' | ')} |`)
const tests = others.includes(musl) ? test(musl) : 'not run'
console.log(`\ntests on x64 musl, Node ${version(musl)}: ${tests}`)
if (rows.some(([, , result]) => result !== 'ok') || tests.startsWith('FAILED')) process.exitCode = 1

/** The file of the addon that was built for a target. */
function addon(target) {
  return join(root, 'build', 'addons', target, platformPackages.find(({ triple }) => triple === target).addon)
}

function environment({ addon }, domain) {
  const env = { ...process.env, CROSSMEM_DOMAIN: domain }
  return addon ? { ...env, NAPI_RS_NATIVE_LIBRARY_PATH: addon } : env
}

function start({ command, ...platform }, role, domain) {
  const [program, ...args] = [...command, member, role]
  const child = spawn(program, args, {
    env: environment(platform, domain),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, next: async () => (await lines.next()).value }
}

/** Lets one process make objects, and kills the other one while it holds them. */
async function share(maker, joiner) {
  const domain = `cross-${process.pid}-${rows.length}`
  const one = start(maker, 'make', domain)
  if ((await one.next()) !== 'made') return 'FAILED: no object was made'
  const other = start(joiner, 'join', domain)
  if ((await other.next()) !== 'inside') {
    one.child.kill('SIGKILL')
    return 'FAILED: the objects could not be used'
  }
  other.child.kill('SIGKILL')
  const found = JSON.parse((await one.next()) ?? 'null')
  return isDeepStrictEqual(found, EXPECTED) ? 'ok' : `FAILED: ${JSON.stringify(found)}`
}

/** Tests of a lock, a queue and numbers, whose children run there, too. */
function test({ command, ...platform }) {
  const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.mjs')
  const files = TESTS.map(name => join('build', '__test__', `${name}.test.js`))
  const [program, ...args] = [...command, ava, ...files]
  const options = { cwd: root, encoding: 'utf8', env: environment(platform, 'cross') }
  const { status, stdout } = spawnSync(program, args, options)
  const counts = stdout.match(/\d+ tests? (passed|failed|skipped)/g)?.join(', ') ?? 'no test ran'
  if (status !== 0) console.error(stdout)
  return status === 0 ? counts : `FAILED: ${counts}`
}

function version({ command: [program, ...args] }) {
  return run(program, [...args, '--version']).trim()
}
