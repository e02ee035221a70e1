// `node scripts/mutants.mjs`: breaks the core in each way that is listed, one at a time, and runs
// the test that must notice. `--only NAME` for one of them.
//
// `crates/core/src/faults.rs` lists them with their tests. The explicit-state models in
// `crates/core/tests/*_model` have faults of their own, and tests in their `main.rs` that must find
// each.
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const core = join(root, 'crates', 'core')
const SHARED_MEMORY = '/dev/shm'
/** The least time that a test with a fault has, and how many times longer it may take than without. */
const LEAST_SECONDS = 10
const SLOWER = 5

/**
 * Tries each fault. `progress` is told what is being done.
 *
 * @param {(what: string) => void} [progress]
 * @param {string} [only] the name of one fault
 * @returns {Promise<{
 *   rows: { fault: string, breaks: string, test: string, caught: boolean, how: string }[],
 *   caught: number,
 *   total: number,
 * }>} `how`: it failed, and with what words; crashed; hung; or survived
 */
export async function score(progress = () => {}, only) {
  const [seeded, models] = [seededFaults(), modelFaults()]
  const isWanted = ({ fault }) => !only || fault === only
  const [ofCore, ofModels] = [seeded.filter(isWanted), models.filter(isWanted)]
  if (ofCore.length + ofModels.length === 0) throw new Error(`there is no fault ${only}`)

  progress('building …')
  const programs = await build(['--features', 'failpoints,faults'], {})
  const loom = { RUSTFLAGS: '--cfg loom', CARGO_TARGET_DIR: join(root, 'target', 'loom') }
  const needsLoom = ofCore.some(({ test }) => test.startsWith('models::'))
  const underLoom = needsLoom ? await build(['--release', '--lib'], loom) : new Map()
  const find = test => {
    if (test.startsWith('models::')) return [underLoom.get('crossmem_core'), test]
    const [, program, name] = test.match(/^tests\/(\w+)::(.*)/s) ?? [undefined, 'crossmem_core', test]
    return [programs.get(program), name]
  }

  const tests = [...new Set(ofCore.map(({ test }) => test))]
  const seconds = new Map()
  await inParallel(tests, async test => {
    progress(`without a fault: ${test}`)
    const run = await runTest(...find(test), {}, 600)
    if (run.outcome !== 'passed') throw new Error(`without a fault, ${test} ${run.outcome}:\n${run.printed}`)
    seconds.set(test, run.seconds)
  })
  const rows = await inParallel(ofCore, async ({ fault, breaks, test }) => {
    progress(`${fault}: ${test}`)
    const limit = Math.max(LEAST_SECONDS, SLOWER * seconds.get(test))
    const { outcome, words } = await runTest(...find(test), { CROSSMEM_FAULT: fault }, limit)
    const how = outcome === 'passed' ? 'survived' : [outcome, words].filter(Boolean).join(': ')
    return { fault, breaks, test, caught: outcome !== 'passed', how }
  })
  for (const test of new Set(ofModels.map(({ test }) => test))) {
    progress(test)
    const { outcome, words } = await runTest(...find(test), {}, 600)
    const caught = outcome === 'passed'
    const how = caught ? 'found' : `survived: ${words}`
    rows.push(...ofModels.filter(model => model.test === test).map(model => ({ ...model, caught, how })))
  }
  return { rows, caught: rows.filter(row => row.caught).length, total: rows.length }
}

/** What `faults.rs` lists: all that can be seeded, and nothing else. */
function seededFaults() {
  const text = readFileSync(join(core, 'src', 'faults.rs'), 'utf8')
  const listed = [...text.matchAll(/((?: +\/\/\/ .*\n)+) +(\w+): "(.+)";\n/g)].map(
    ([, comment, fault, test]) => ({ fault, breaks: plain(comment), test }),
  )
  const sources = readdirSync(join(core, 'src'), { recursive: true }).filter(name => name.endsWith('.rs'))
  const used = sources.flatMap(name => {
    const source = readFileSync(join(core, 'src', name), 'utf8')
    return [...source.matchAll(/seeded\(\s*Fault::(\w+)/g)].map(([, fault]) => fault)
  })
  requireSame(new Set(listed.map(({ fault }) => fault)), new Set(used), 'crates/core/src/faults.rs')
  return listed
}

/** The faults of the explicit-state models: all that a model lists, a test in its `main.rs` tries. */
function modelFaults() {
  const tests = join(core, 'tests')
  return readdirSync(tests)
    .filter(name => name.endsWith('_model'))
    .flatMap(program => {
      const read = file => readFileSync(join(tests, program, file), 'utf8')
      const lists = readdirSync(join(tests, program)).flatMap(file => [
        ...read(file).matchAll(/enum Fault \{\n(.*?)\n\}/gs),
      ])
      const breaks = new Map(
        lists
          .flatMap(([, list]) => [...list.matchAll(/((?: +\/\/\/ .*\n)*) +(\w+),/g)])
          .map(([, comment, fault]) => [fault, plain(comment) || asWords(fault)]),
      )
      const functions = [...read('main.rs').matchAll(/^fn (\w+)\(\) \{\n(.*?)\n\}/gms)]
      const tried = functions.flatMap(([, name, body]) =>
        [...body.matchAll(/\bFault::([A-Z]\w+)/g)].map(([, fault]) => ({ fault, name })),
      )
      const names = new Set(tried.map(({ fault }) => fault))
      requireSame(new Set(breaks.keys()), names, `crates/core/tests/${program}`)
      return tried.map(({ fault, name }) => ({
        fault,
        breaks: breaks.get(fault),
        test: `tests/${program}::${name}`,
      }))
    })
}

function requireSame(listed, used, where) {
  const odd = [...listed]
    .filter(fault => !used.has(fault))
    .concat([...used].filter(fault => !listed.has(fault)))
  if (listed.size === 0 || odd.length > 0)
    throw new Error(`${where}: ${odd} are listed and not tried, or not listed`)
}

const plain = comment => comment.replaceAll(/\s*\/\/\/ ?/g, ' ').trim()
const asWords = name => `${name.replaceAll(/(?<!^)[A-Z]/g, letter => ` ${letter.toLowerCase()}`)}.`

/** The test programs by name. */
async function build(args, environment) {
  const command = [
    'test',
    '-p',
    'crossmem-core',
    ...args,
    '--no-run',
    '--message-format=json-render-diagnostics',
  ]
  const child = spawn('cargo', command, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout.on('data', chunk => {
    printed += chunk
  })
  const status = await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  if (status !== 0) throw new Error('the tests do not compile')
  const messages = printed.split('\n').filter(Boolean).map(JSON.parse)
  const executables = messages.filter(
    ({ reason, executable }) => reason === 'compiler-artifact' && executable,
  )
  return new Map(executables.map(({ target, executable }) => [target.name, executable]))
}

/** What is running: each leads a group, which its children are in. None of them outlives this process. */
const running = new Set()
process.on('exit', () => running.forEach(killGroup))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {} // It has ended.
}

/** Runs one test of a program; what became of it, and its last words. */
async function runTest(program, test, environment, limit) {
  const { CROSSMEM_FAULT: _, ...inherited } = process.env
  const child = spawn(program, ['--exact', test, '--nocapture'], {
    cwd: core,
    env: { ...inherited, RUST_BACKTRACE: '0', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const started = performance.now()
  let [printed, hung] = ['', false]
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', chunk => {
      printed = (printed + chunk).slice(-1_000_000)
    })
  }
  running.add(child.pid)
  const timer = setTimeout(() => {
    hung = true
    killGroup(child.pid)
  }, limit * 1000)
  // Its children may hold its pipes open: they end with it, and then all that was printed is read.
  child.on('exit', () => killGroup(child.pid))
  const [status, signal] = await new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (...end) => resolve(end))
  })
  clearTimeout(timer)
  running.delete(child.pid)
  await cleanUp(child.pid)
  const seconds = (performance.now() - started) / 1000
  const ran = printed.includes('running 1 test')
  if (!ran) throw new Error(`there is no test ${test} in ${basename(program)}:\n${printed}`)
  if (hung) return { outcome: 'hung', seconds, printed }
  if (signal) return { outcome: 'crashed', words: signal, seconds, printed }
  if (status === 0) return { outcome: 'passed', seconds, printed }
  return { outcome: 'failed', words: lastWords(printed), seconds, printed }
}

/** What the first panic said. */
function lastWords(printed) {
  const [, said = ''] = printed.match(/ panicked at .*:\n(.*(?:\n +(?:left|right): .*)*)/) ?? []
  return said.replaceAll(/\s+/g, ' ')
}

/** Removes what a test program has left in shared memory: crossmem does so itself, and what it keeps is removed by name. */
async function cleanUp(pid) {
  if (!existsSync(SHARED_MEMORY)) return
  const left = () =>
    readdirSync(SHARED_MEMORY).filter(name => name.match(/(?:^|-)[dn]\.(\d+)\./)?.[1] === `${pid}`)
  const domains = left().flatMap(name => name.match(/^\.crossmem-.*-(d\.[\w.]+)$/)?.[1] ?? [])
  const cli = join(root, 'dist', 'cli', 'main.js')
  for (const domain of existsSync(cli) ? domains : []) {
    const env = { ...process.env, CROSSMEM_DOMAIN: domain }
    const gc = spawn(process.execPath, [cli, 'gc'], {
      env,
      stdio: 'ignore',
      timeout: 20_000,
      killSignal: 'SIGKILL',
    })
    await new Promise(resolve => gc.on('close', resolve))
  }
  for (const name of left()) rmSync(join(SHARED_MEMORY, name), { force: true, recursive: true })
}

/** Does all of it, as many at a time as there are cores; the results in order. */
async function inParallel(items, act) {
  const [results, queue] = [[], [...items.entries()]]
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await act(next[1])
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  return results
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { only: { type: 'string' } } })
  const { rows, caught, total } = await score(what => console.error(what), values.only)
  for (const { fault, breaks, test, how } of rows) {
    console.log(
      `${fault.padEnd(26)} ${how.slice(0, 100)}\n${''.padEnd(27)}${breaks}\n${''.padEnd(27)}${test}`,
    )
  }
  console.log(`${caught} of ${total} caught`)
  process.exitCode = caught === total ? 0 : 1
}
