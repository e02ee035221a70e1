// `npm run fuzz -- [--target NAME] [--seconds 30]`: runs the Rust targets by cargo-fuzz, which
// needs nightly Rust, and those of TypeScript by `__test__/fuzz/guided.ts`. New inputs go to
// target/fuzz/corpus, and inputs that crash or hang to target/fuzz/artifacts. The tests replay the
// inputs in crates/core/fuzz/corpus and __test__/fuzz/corpus.
import { fork, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { run, setup } from './setup.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const fuzz = join(root, 'crates', 'core', 'fuzz')
const tools = join(root, 'target', 'tools')
const built = join(root, 'target', 'fuzz')
/** Milliseconds after which an input counts as hanging. */
const HANG = 60_000

const rustTargets = readdirSync(join(fuzz, 'fuzz_targets')).map(file => file.replace(/\.rs$/, ''))
const scriptTargets = readdirSync(join(root, '__test__', 'fuzz', 'corpus'))
const all = [...rustTargets, ...scriptTargets]

const { values } = parseArgs({ options: { target: { type: 'string' }, seconds: { type: 'string' } } })
const seconds = Number(values.seconds ?? 30)
const wanted = values.target ? all.filter(target => target === values.target) : all
if (!(seconds >= 1) || wanted.length === 0) {
  console.error(`usage: npm run fuzz -- [--target ${all.join(' | ')}] [--seconds 30]`)
  process.exit(2)
}
if (process.platform !== 'linux') {
  console.error('fuzz: the targets write over files of shared memory, which only Linux shows in /dev/shm')
  process.exit(1)
}

const environment = {
  ...process.env,
  CARGO_TARGET_DIR: built,
  PATH: [join(tools, 'bin'), process.env.PATH].join(delimiter),
}
setup()
if (wanted.some(target => rustTargets.includes(target))) buildRustTargets()

const table = []
for (const target of wanted) {
  const artifacts = folder('artifacts', target)
  const known = readdirSync(artifacts).length
  const runs = rustTargets.includes(target) ? await fuzzRust(target) : await fuzzScript(target)
  const crashes = readdirSync(artifacts).length - known
  if (crashes > 0) console.log(`${target}: see ${artifacts}`)
  // A fuzzer that ends early without an artifact has failed, too.
  table.push({ target, ...runs, crashes: Math.max(crashes, runs.failed ? 1 : 0) })
}
console.table(
  Object.fromEntries(
    table.map(({ target, executions, coverage, features, corpus, crashes }) => [
      target,
      { executions, coverage, features, corpus, crashes },
    ]),
  ),
)
process.exitCode = table.every(({ crashes, executions }) => crashes === 0 && executions > 0) ? 0 : 1

function folder(...names) {
  const path = join(built, ...names)
  mkdirSync(path, { recursive: true })
  return path
}

function buildRustTargets() {
  if (spawnSync('cargo', ['+nightly', '--version']).status !== 0) {
    console.error('fuzz: libFuzzer needs nightly Rust: rustup toolchain install nightly --profile minimal')
    process.exit(1)
  }
  if (!existsSync(join(tools, 'bin', 'cargo-fuzz'))) {
    console.error('fuzz: cargo-fuzz …')
    run('cargo', 'install', 'cargo-fuzz', '--locked', '--root', tools)
  }
  console.error('fuzz: building …')
  const built = spawnSync('cargo', ['+nightly', 'fuzz', 'build', '--fuzz-dir', fuzz], {
    cwd: root,
    env: environment,
    stdio: 'inherit',
  })
  if (built.status !== 0) process.exit(built.status ?? 1)
}

/** Runs libFuzzer. Its coverage counts edges of the code; its features also tell how often. */
async function fuzzRust(target) {
  const domain = `fuzz-${randomBytes(6).toString('hex')}`
  const inputs = [folder('corpus', target), join(fuzz, 'corpus', target)]
  const limits = [
    `-max_total_time=${seconds}`,
    `-timeout=${HANG / 1000}`,
    '-max_len=1024',
    '-print_final_stats=1',
  ]
  const artifacts = `-artifact_prefix=${join(built, 'artifacts', target)}/`
  const child = spawn(
    'cargo',
    ['+nightly', 'fuzz', 'run', '--fuzz-dir', fuzz, target, ...inputs, '--', ...limits, artifacts],
    { cwd: root, env: { ...environment, CROSSMEM_DOMAIN: domain }, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr.on('data', chunk => {
    said += chunk
  })
  const status = await new Promise(resolve => child.on('close', resolve))
  for (const file of readdirSync('/dev/shm').filter(name => name.includes(domain))) rmSync(`/dev/shm/${file}`)
  const failed = status !== 0
  if (failed) console.error(said)
  const [, coverage, features, corpus] = [...said.matchAll(/cov: (\d+) ft: (\d+) corp: (\d+)/g)].at(-1) ?? []
  const [, executions] = /number_of_executed_units: (\d+)/.exec(said) ?? []
  return {
    failed,
    executions: Number(executions ?? 0),
    coverage: Number(coverage),
    features: Number(features),
    corpus: Number(corpus),
  }
}

/** Runs our own fuzzer, for TypeScript. Coverage counts blocks of the code. */
async function fuzzScript(target) {
  const inputs = folder('corpus', target)
  const program = join(root, 'build', '__test__', 'fuzz', 'guided.js')
  const child = fork(program, [target, String(seconds), inputs], { cwd: root })
  const kill = () => child.kill('SIGKILL')
  let hang = setTimeout(kill, HANG)
  let runs = { executions: 0 }
  child.on('message', message => {
    runs = message
    clearTimeout(hang)
    hang = setTimeout(kill, HANG)
  })
  const status = await new Promise(resolve => child.on('exit', resolve))
  clearTimeout(hang)
  const failed = status !== 0
  if (failed) keepCurrent(target, join(inputs, 'current'))
  return { failed, ...runs }
}

/** Keeps the input that was being tried. The file has its length, and then its bytes. */
function keepCurrent(target, file) {
  const current = existsSync(file) ? readFileSync(file) : Buffer.alloc(0)
  if (current.length < 4) return
  const input = current.subarray(4, 4 + current.readUInt32LE(0))
  const name = `crash-${createHash('sha1').update(input).digest('hex')}`
  writeFileSync(join(folder('artifacts', target), name), input)
}
