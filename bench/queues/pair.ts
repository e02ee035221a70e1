import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Missing } from '../harness/missing.js'
import { lineOf, type Order } from './order.js'

/** A program that takes orders, with the far ends that it started. */
export interface Pair {
  version: string
  /** Nanoseconds, as near.ts answers. */
  run(order: Order): Promise<number[]>
  stop(): Promise<unknown>
}

/** A program that runs for so many milliseconds hangs, and is killed. */
const TIMEOUT = 20 * 60_000

/** Starts a program that takes orders as near.ts does. */
export async function startPair([command, ...args]: string[]): Promise<Pair | Missing> {
  const child = spawn(command as string, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: TIMEOUT,
    killSignal: 'SIGKILL',
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async <Answer>(): Promise<Answer> => {
    const { value, done } = await answers.next()
    if (done) throw new Error(`${[command, ...args].join(' ')} ended without an answer`)
    return JSON.parse(value) as Answer
  }
  const found = await answer<{ version: string } | Missing>()
  if ('missing' in found) return found
  return {
    version: found.version,
    run(order) {
      child.stdin.write(`${lineOf(order)}\n`)
      return answer()
    },
    stop: () => stop(child),
  }
}

async function stop(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}
