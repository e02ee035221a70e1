// `npm run sanitize -- [--only address | thread | valgrind]`: runs the core's tests under tools
// that find errors which tests don't notice. Ends with a table: which tests ran under which tool,
// or why a tool didn't run.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const features = ['-p', 'crossmem-core', '--features', 'failpoints']

/** Races that are none: std is not instrumented, so the tool doesn't see what it orders. */
const suppressions = [
  'race:test::', // results of tests, sent over a channel
  'race:alloc::sync::Arc<std::thread', // the last drop of a thread's parts
  'race:can_spin', // a OnceLock
]

const plans = {
  address: {
    finds: 'accesses outside of what is allocated or mapped, leaks',
    nightly: true,
    flags: '-Zsanitizer=address',
    tests: ['--lib', '--tests'],
    environment: { ASAN_OPTIONS: 'detect_leaks=1' },
    notes: 'accesses to other parts of the same mapping are not seen; the fuzzers poison the bytes behind it',
  },
  thread: {
    finds: 'data races between threads',
    nightly: true,
    // With the toolchain's own std: building one needs its sources.
    flags: '-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer',
    tests: ['--lib', '--test', 'threads'],
    // One test at a time: libtest's own threads are not instrumented.
    arguments: ['--test-threads=1'],
    notes: `processes, and agents with mappings of their own, are not seen; suppressed: ${suppressions.join(', ')}`,
  },
  valgrind: {
    finds: 'uninitialised bytes that decide a branch or reach the system, leaks',
    flags: '',
    tests: ['--lib'],
    // Tests over heap memory: those of segments take long with one thread at a time.
    arguments: ['named', 'spsc::', 'name::', 'sys::'],
    notes: 'it runs one thread at a time, so only tests over heap memory ran',
  },
}

const { values } = parseArgs({ options: { only: { type: 'string' } } })
const wanted = values.only ? [values.only] : Object.keys(plans)
if (!wanted.every(tool => Object.hasOwn(plans, tool))) {
  console.error(`usage: npm run sanitize -- [--only ${Object.keys(plans).join(' | ')}]`)
  process.exit(2)
}

const rows = []
for (const tool of wanted) rows.push(...(await sanitize(tool, plans[tool])))
console.table(rows)
for (const tool of wanted) console.log(`${tool}: finds ${plans[tool].finds}. ${plans[tool].notes}`)
process.exitCode = rows.length > 0 && rows.every(({ findings }) => findings === 0) ? 0 : 1

/** Runs a tool. Returns a row of the table for each test program. */
async function sanitize(tool, plan) {
  const missing = whatIsMissing(tool, plan)
  if (missing) {
    console.error(`sanitize: ${tool}: ${missing}`)
    return [{ tool, program: missing, tests: 0, findings: 'did not run' }]
  }
  console.error(`sanitize: building for ${tool} …`)
  const found = []
  for (const program of programs(tool, plan)) {
    const { status, said } = await run(tool, plan, program.executable)
    const [, passed = 0] = /test result: ok\. (\d+) passed/.exec(said) ?? []
    const reports = [...said.matchAll(/^SUMMARY: \w+Sanitizer: (.*)$|^==\d+== ERROR SUMMARY: ([1-9].*)$/gm)]
    // A program that fails without a report has a finding, too.
    const findings = Math.max(reports.length, status === 0 && Number(passed) > 0 ? 0 : 1)
    if (findings > 0) console.error(said)
    console.error(`sanitize: ${tool}: ${program.name}: ${passed} tests, ${findings} findings`)
    found.push({ tool, program: program.name, tests: Number(passed), findings })
  }
  return found
}

function whatIsMissing(tool, { nightly }) {
  if (nightly && spawnSync('cargo', ['+nightly', '--version']).status !== 0)
    return 'needs nightly Rust: rustup toolchain install nightly --profile minimal'
  if (tool === 'valgrind' && spawnSync('valgrind', ['--version']).status !== 0)
    return 'needs valgrind: apt-get install valgrind'
  return undefined
}

/** Builds the test programs. Returns their names and paths. */
function programs(tool, { nightly, flags, tests }) {
  const rustc = spawnSync('rustc', ['-vV'], { encoding: 'utf8' }).stdout
  const host = /host: (.*)/.exec(rustc)[1]
  // With an explicit target, build scripts and macros are not instrumented.
  const build = ['test', '--no-run', '--message-format=json', '--target', host, ...features, ...tests]
  const built = spawnSync('cargo', [...(nightly ? ['+nightly'] : []), ...build], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, RUSTFLAGS: flags, CARGO_TARGET_DIR: join(root, 'target', `sanitize-${tool}`) },
  })
  if (built.status !== 0) process.exit(built.status ?? 1)
  const messages = built.stdout.split('\n').filter(line => line.startsWith('{'))
  return messages
    .map(line => JSON.parse(line))
    .filter(message => message.executable && message.profile.test)
    .map(({ target, executable }) => ({ name: target.name, executable }))
}

function run(tool, plan, executable) {
  const folder = join(root, 'target', `sanitize-${tool}`)
  mkdirSync(folder, { recursive: true })
  const list = join(folder, 'suppressions.txt')
  writeFileSync(list, `${suppressions.join('\n')}\n`)
  const valgrind = ['valgrind', '--leak-check=full', '--errors-for-leak-kinds=definite', '--error-exitcode=9']
  const command = [...(tool === 'valgrind' ? valgrind : []), executable, ...(plan.arguments ?? [])]
  const domain = `sanitize-${process.pid}`
  const environment = { ...plan.environment, TSAN_OPTIONS: `suppressions=${list}`, CROSSMEM_DOMAIN: domain }
  const child = spawn(command[0], command.slice(1), {
    cwd: join(root, 'crates', 'core'),
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      said += chunk
    })
  }
  return new Promise(resolve => {
    child.on('close', status => {
      const left = readdirSync('/dev/shm').filter(name => name.includes(domain))
      for (const file of left) rmSync(`/dev/shm/${file}`)
      resolve({ status, said })
    })
  })
}
