import { spawnSync } from 'node:child_process'
import { root } from '../root.js'

/** A Rust program that makes the system calls and nothing else: crates/core/examples/bare_calls.rs. */
export interface BareCalls {
  sample(how: 'whole' | 'reserved' | 'sized', fill: boolean, iterations: number): () => number
}

/** Builds it, or says why there is none. */
export function bareCalls(): BareCalls | { missing: string } {
  if (process.platform !== 'linux') return { missing: 'bare system calls: written for Linux only' }
  const args = ['build', '--release', '--locked', '--message-format=json', '-p', 'crossmem-core']
  const built = spawnSync('cargo', [...args, '--example', 'bare_calls'], { cwd: root, encoding: 'utf8' })
  const path = built.status === 0 ? executableIn(built.stdout) : undefined
  if (!path) throw new Error(`cargo could not build the example bare_calls: ${built.error ?? built.stderr}`)
  return {
    sample: (how, fill, iterations) => () => {
      const run = spawnSync(path, [String(iterations), how, ...(fill ? ['fill'] : [])], { encoding: 'utf8' })
      if (run.status !== 0) throw new Error(`bare_calls failed: ${run.error ?? run.stderr}`)
      return (JSON.parse(run.stdout) as { ns: number }).ns
    },
  }
}

/** Cargo tells on one line of JSON each what it made. */
function executableIn(messages: string): string | undefined {
  for (const line of messages.split('\n')) {
    if (!line.startsWith('{')) continue
    const { executable, target } = JSON.parse(line) as {
      executable?: string | null
      target?: { name: string }
    }
    if (executable && target?.name === 'bare_calls') return executable
  }
  return undefined
}
