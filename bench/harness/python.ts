import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Missing } from './missing.js'
import { root } from './root.js'

/** The Python of the tests. */
export interface Python {
  version: string
  /** The interpreter. */
  path: string
  /** A sample: the nanoseconds that a program of bench/ prints. */
  sample(program: string, ...args: (string | number)[]): () => number
}

export function python(): Python | Missing {
  const asked = spawnSync(process.execPath, [join(root, 'scripts', 'python.mjs'), '--json'], {
    encoding: 'utf8',
  })
  if (asked.status !== 0) throw new Error(`scripts/python.mjs failed: ${asked.error ?? asked.stderr}`)
  const found = JSON.parse(asked.stdout) as { path: string | null; version: string; reason: string }
  const { path } = found
  if (path === null) return { missing: `Python: ${found.reason}` }
  return {
    version: `Python ${found.version}`,
    path,
    sample:
      (program, ...args) =>
      () => {
        const run = spawnSync(path, [join(root, 'bench', program), ...args.map(String)], { encoding: 'utf8' })
        if (run.status !== 0) throw new Error(`${program} failed: ${run.error ?? run.stderr}`)
        return Number(run.stdout)
      },
  }
}
