// `npm test`: sets up what is missing or stale, runs every test, and ends with the counts.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { python } from './python.mjs'
import { setup } from './setup.mjs'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const totals = { passed: 0, failed: 0, skipped: 0 }

setup()
const { reason } = python()
if (reason) console.log(`tests beside Python are skipped: ${reason}`)

const loom = { RUSTFLAGS: '--cfg loom', CARGO_TARGET_DIR: join(root, 'target', 'loom') }
const torture = ['run', '--quiet', '--release', '-p', 'crossmem-torture', '--', '--minutes', '2']
const isTorturer = process.platform === 'linux' && process.arch === 'x64'
const statuses = [
  await run(
    {},
    'cargo',
    'test',
    '--workspace',
    '--features',
    'crossmem-core/failpoints,crossmem-torture/faults',
  ),
  await run(loom, 'cargo', 'test', '--release', '-p', 'crossmem-core', '--lib'),
  ...(isTorturer ? [await run({}, 'cargo', ...torture)] : []),
  await run({}, 'npx', 'ava', ...process.argv.slice(2)),
]
console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`)
process.exitCode = statuses.every(status => status === 0) && totals.passed > 0 ? 0 : 1

/** Runs a test program, passes on what it prints, and adds up the counts in it. */
function run(environment, command, ...args) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    shell: process.platform === 'win32',
  })
  let printed = ''
  child.stdout.on('data', chunk => {
    process.stdout.write(chunk)
    printed += chunk
  })
  return new Promise(resolve => {
    child.on('error', () => resolve(1))
    child.on('close', status => {
      // cargo: «ok. 3 passed; 0 failed; 1 ignored»; ava: «14 tests passed», «1 test skipped»
      count('passed', printed.matchAll(/(\d+) (?:tests? )?passed/g))
      count('failed', printed.matchAll(/(\d+) (?:tests? |uncaught exceptions?)?failed/g))
      count('skipped', printed.matchAll(/(\d+) (?:tests? skipped|ignored)/g))
      resolve(status ?? 1)
    })
  })
}

function count(what, matches) {
  for (const [, number] of matches) totals[what] += Number(number)
}
