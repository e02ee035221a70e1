import { spawnSync } from 'node:child_process'
import { buildExample } from '../harness/cargo.js'
import type { Missing } from '../harness/missing.js'

/** A Rust program that only makes the system calls: crates/core/examples/bare_calls.rs. */
export interface BareCalls {
  sample(how: 'whole' | 'reserved' | 'sized', fill: boolean, iterations: number): () => number
}

/** Builds the program, or says why it is missing. */
export function bareCalls(): BareCalls | Missing {
  if (process.platform !== 'linux') return { missing: 'bare system calls: written for Linux only' }
  const path = buildExample('crossmem-core', 'bare_calls')
  return {
    sample: (how, fill, iterations) => () => {
      const run = spawnSync(path, [String(iterations), how, ...(fill ? ['fill'] : [])], { encoding: 'utf8' })
      if (run.status !== 0) throw new Error(`bare_calls failed: ${run.error ?? run.stderr}`)
      return (JSON.parse(run.stdout) as { ns: number }).ns
    },
  }
}
