import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../root.js'

/** Python's multiprocessing.shared_memory, by shared_memory.py. */
export interface Python {
  version: string
  sample(deed: 'cycle' | 'fill' | 'open', iterations: number): () => number
}

/** The Python of the PATH, or why there is none. */
export function python(): Python | { missing: string } {
  const asked = spawnSync('python3', ['--version'], { encoding: 'utf8' })
  if (asked.status !== 0) return { missing: 'Python: no python3 on the PATH' }
  const program = join(root, 'bench', 'peers', 'shared_memory.py')
  return {
    version: asked.stdout.trim(),
    sample: (deed, iterations) => () => {
      const run = spawnSync('python3', [program, deed, String(iterations)], { encoding: 'utf8' })
      if (run.status !== 0) throw new Error(`python3 failed: ${run.error ?? run.stderr}`)
      return Number(run.stdout)
    },
  }
}
