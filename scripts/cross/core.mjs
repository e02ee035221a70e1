// The tests of the Rust core on arm64, with all processes that they start and kill. The kernel starts
// these by qemu, which root alone can set up (binfmt_misc).
import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { run } from '../packages/run.mjs'
import { root } from '../packages/set.mjs'
import { zigBin } from '../packages/zig.mjs'
import { qemu } from './tools.mjs'

const TARGET = 'aarch64-unknown-linux-musl'
const HANDLERS = '/proc/sys/fs/binfmt_misc'
const HANDLER = 'crossmem-arm64'
/** The first bytes of a program for arm64, and which of their bits count: elf(5). */
const MAGIC = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00'
const MASK = `${'\\xff'.repeat(7)}\\x00${'\\xff'.repeat(8)}\\xfe${'\\xff'.repeat(3)}`

/** What can't be tested so, and why. */
const NOT_HERE = {
  'sys::huge_pages_linux::tests::reserving_by_touching_takes_all_the_memory_or_fails_without_a_signal':
    'qemu knows no MADV_POPULATE_WRITE: it says that the memory is reserved, and does nothing',
}

/** Runs them, and says how many passed or failed, or why they were not run. */
export function testCore() {
  const programs = build()
  const registered = isAlreadyPossible(programs[0]) || register()
  if (!registered) return 'not run: only root can let the kernel start programs for arm64'
  try {
    const results = programs.map(test)
    const count = what => results.reduce((sum, result) => sum + result[what], 0)
    const counts = `${count('passed')} passed, ${count('failed')} failed`
    const reasons = Object.entries(NOT_HERE).map(([name, reason]) => `\nnot run: ${name}: ${reason}`)
    return `${count('failed') > 0 ? 'FAILED: ' : ''}${counts}${reasons.join('')}`
  } finally {
    if (existsSync(join(HANDLERS, HANDLER))) writeFileSync(join(HANDLERS, HANDLER), '-1')
  }
}

/** The test programs. They are static, so they need no libraries. */
function build() {
  const options = ['--no-run', '--message-format', 'json', '--target', TARGET, '-p', 'crossmem-core']
  const printed = run(
    join(zigBin(), 'cargo-zigbuild'),
    ['test', ...options, '--features', 'failpoints,faults'],
    {
      cwd: root,
      env: { ...process.env, PATH: [zigBin(), process.env.PATH].join(delimiter) },
      maxBuffer: 1 << 28,
    },
  )
  const messages = printed.split('\n').filter(line => line.startsWith('{'))
  return messages.flatMap(line => JSON.parse(line).executable ?? [])
}

function isAlreadyPossible(program) {
  return spawnSync(program, ['--list']).status === 0
}

function register() {
  if (!existsSync(join(HANDLERS, 'register'))) spawnSync('mount', ['-t', 'binfmt_misc', 'none', HANDLERS])
  try {
    writeFileSync(join(HANDLERS, 'register'), `:${HANDLER}:M::${MAGIC}:${MASK}:${qemu()}:F`)
    return true
  } catch {
    return false
  }
}

function test(program) {
  const skipped = Object.keys(NOT_HERE).flatMap(name => ['--skip', name])
  const { status, stdout } = spawnSync(
    program,
    [...skipped, '--test-threads', String(availableParallelism())],
    {
      cwd: join(root, 'crates', 'core'),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    },
  )
  if (status !== 0) console.error(stdout)
  const [, passed, failed] = stdout.match(/(\d+) passed; (\d+) failed/) ?? [0, 0, 1]
  return { passed: Number(passed), failed: Number(failed) }
}
