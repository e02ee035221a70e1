import type { Missing } from '../harness/missing.js'
import { startProgram } from '../harness/program.js'
import { lineOf, type Order } from './order.js'

/** A program that takes orders, with the far ends that it started. */
export interface Pair {
  version: string
  /** Nanoseconds, as near.ts answers. */
  run(order: Order): Promise<number[]>
  stop(): Promise<void>
}

/** Starts a program that takes orders as near.ts does. */
export async function startPair([command, ...args]: string[]): Promise<Pair | Missing> {
  const { first, program } = await startProgram<{ version: string } | Missing>(command as string, ...args)
  if ('missing' in first) return first
  return { version: first.version, run: order => program.ask(lineOf(order)), stop: program.stop }
}
