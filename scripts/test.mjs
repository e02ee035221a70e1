// `npm test`: sets up what is missing or stale, runs every test, and ends with what failed and the
// counts.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { failuresIn, lastLines, summary } from './failures.mjs'
import { python } from './python.mjs'
import { setup } from './setup.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const totals = { passed: 0, failed: 0, skipped: 0 }
/** What failed, with the first lines of each error. */
const failures = []
/** So many lines say what failed. */
const ROOM = 40

setup()
const { reason } = python()
if (reason) console.log(`tests beside Python are skipped: ${reason}`)

const features = 'crossmem-core/failpoints,crossmem-torture/faults'
const loom = { RUSTFLAGS: '--cfg loom', CARGO_TARGET_DIR: join(root, 'target', 'loom') }
const torture = ['run', '--quiet', '--release', '-p', 'crossmem-torture', '--', '--minutes', '2']
const isTorturer = process.platform === 'linux' && process.arch === 'x64'
const statuses = [
  await run('Rust', {}, 'cargo', 'test', '--workspace', '--no-fail-fast', '--features', features),
  await run('loom', loom, 'cargo', 'test', '--release', '-p', 'crossmem-core', '--lib'),
  ...(isTorturer ? [await run('torture', {}, 'cargo', ...torture)] : []),
  await run('ava', {}, 'npx', 'ava', ...process.argv.slice(2)),
]
// `.ci/run` looks for this line.
if (failures.length > 0) console.log(['== failed tests', ...summary(failures, ROOM)].join('\n'))
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = statuses.every(status => status === 0) && totals.passed > 0 ? 0 : 1

/** Runs a test program, passes on what it prints, and collects what failed and the counts in it. */
function run(name, environment, command, ...args) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  let printed = ''
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', chunk => {
      process[stream].write(chunk)
      printed += chunk
    })
  }
  return new Promise(resolve => {
    child.on('error', error => {
      failures.push({ name: `${name}: ${error.message}`, lines: [] })
      resolve(1)
    })
    child.on('close', status => {
      if (status !== 0) collect(name, printed, status)
      // cargo: «ok. 3 passed; 0 failed; 1 ignored»; ava: «14 tests passed», «1 test skipped»
      count('passed', printed.matchAll(/(\d+) (?:tests? )?passed/g))
      count('failed', printed.matchAll(/(\d+) (?:tests? |uncaught exceptions?)?failed/g))
      count('skipped', printed.matchAll(/(\d+) (?:tests? skipped|ignored)/g))
      resolve(status ?? 1)
    })
  })
}

function collect(program, printed, status) {
  const found = failuresIn(printed)
  if (found.length === 0) found.push({ name: `ended with ${status}`, lines: lastLines(printed) })
  for (const { name, lines } of found) failures.push({ name: `${program}: ${name}`, lines })
}

function count(what, matches) {
  for (const [, number] of matches) totals[what] += Number(number)
}
