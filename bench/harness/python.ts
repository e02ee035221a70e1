import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './root.js'

/** Python's multiprocessing, by the programs beside this file. */
export interface Python {
  version: string
  /** The interpreter. */
  path: string
  /** multiprocessing.shared_memory, by shared_memory.py. */
  sample(deed: 'cycle' | 'fill' | 'open', iterations: number): () => number
  /** multiprocessing.Lock and Semaphore, by locks.py. */
  locks(deed: 'acquire' | 'with' | 'operations' | 'hand-overs' | 'turns', ...numbers: number[]): () => number
}

/** The Python of the tests, or why there is none. */
export function python(): Python | { missing: string } {
  const asked = spawnSync(process.execPath, [join(root, 'scripts', 'python.mjs'), '--json'], {
    encoding: 'utf8',
  })
  if (asked.status !== 0) throw new Error(`scripts/python.mjs failed: ${asked.error ?? asked.stderr}`)
  const found = JSON.parse(asked.stdout) as { path: string | null; version: string; reason: string }
  const { path } = found
  if (path === null) return { missing: `Python: ${found.reason}` }
  const sample = (program: string, args: (string | number)[]) => () => {
    const all = [join(root, 'bench', program), ...args.map(String)]
    const run = spawnSync(path, all, { encoding: 'utf8' })
    if (run.status !== 0) throw new Error(`${program} failed: ${run.error ?? run.stderr}`)
    return Number(run.stdout)
  }
  return {
    version: `Python ${found.version}`,
    path,
    sample: (deed, iterations) => sample('memory/shared_memory.py', [deed, iterations]),
    locks: (deed, ...numbers) => sample('locks/locks.py', [deed, ...numbers]),
  }
}
