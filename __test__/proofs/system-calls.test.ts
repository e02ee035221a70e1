import '../helpers/domain.js'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ava from 'ava'
import { fixture } from '../helpers/paths.js'
import { message, start } from '../processes/children.js'

const TIMES = 100_000
const canTrace = spawnSync('strace', ['-f', '-c', '-o', '/dev/null', 'true']).status === 0

/** System calls of a whole life of a process that uses this so often. */
function systemCalls(folder: string, program: string, what: string, times: number): number {
  const counts = join(folder, 'counts')
  const run = spawnSync('strace', [
    '-f',
    '-c',
    '-o',
    counts,
    process.execPath,
    fixture(program),
    what,
    String(times),
  ])
  if (run.status !== 0) throw new Error(`${what}: ${run.stderr}`)
  // «100.00    0.012345           2      5678        12 total»
  const total = /^ *100\.00 +[\d.]+ +(?:\d+ +)?(\d+)(?: +\d+)? total$/m.exec(readFileSync(counts, 'utf8'))
  return Number(total?.[1])
}

for (const program of ['proofs/use-locks-alone', 'proofs/use-queues-alone']) {
  const title = `no waiter, no system call: ${TIMES} times each, with nobody else there: ${program}`
  if (!canTrace) {
    ava.skip(`${title} (skipped: no strace, or it may not trace)`, () => undefined)
    continue
  }
  ava.serial(title, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const [nothing, ...uses] = await message<string[]>(start(program))
    const base = systemCalls(folder, program, nothing as string, TIMES)
    for (const what of uses) {
      const more = systemCalls(folder, program, what, TIMES) - base
      t.log(`${what}: ${more} more than the ${base} of doing nothing`)
      // Collecting garbage and compiling cost some.
      t.true(more < TIMES / 20, `${what}: ${more} system calls`)
    }
  })
}
