import { buildExample } from '../harness/cargo.js'
import { type Contender, counted } from '../harness/measure.js'
import type { Missing } from '../harness/missing.js'
import { startProgram } from '../harness/program.js'

/** A Rust program that only makes the system calls: crates/core/examples/bare_calls.rs. */
export interface BareCalls {
  slice(how: 'whole' | 'reserved' | 'sized', fill: boolean): Contender['slice']
}

/** Builds and starts the program, or says why it is missing. */
export async function startBareCalls(): Promise<(BareCalls | Missing) & AsyncDisposable> {
  if (process.platform !== 'linux')
    return { missing: 'bare system calls: written for Linux only', async [Symbol.asyncDispose]() {} }
  const { program } = await startProgram(buildExample('crossmem-core', 'bare_calls'))
  return {
    slice: (how, fill) => counted(count => program.ask(`${how} ${count}${fill ? ' fill' : ''}`)),
    [Symbol.asyncDispose]: program.stop,
  }
}
