import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** A program that runs for as long as it is measured, so that a slice starts no process. */
export interface Program {
  /** Gives an order, which is one line. The answer is a line of JSON. */
  ask<Answer = number[]>(order: string): Promise<Answer>
  stop(): Promise<void>
  /** Kills it at once, and all processes that it left behind. */
  kill(): void
}

/** A program that runs for so many milliseconds hangs, and is killed. */
const TIMEOUT = 20 * 60_000

/** Starts a program. Its first line is an answer, too: it says what it is, or what is missing. */
export async function startProgram<First>(
  command: string,
  ...args: string[]
): Promise<{ first: First; program: Program }> {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: TIMEOUT,
    killSignal: 'SIGKILL',
    // The leader of a group of processes, which are killed together. Windows has no such groups.
    detached: process.platform !== 'win32',
  })
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async <Answer>(): Promise<Answer> => {
    const { value, done } = await answers.next()
    if (done) throw new Error(`${[command, ...args].join(' ')} ended without an answer`)
    return JSON.parse(value) as Answer
  }
  const program: Program = {
    ask(order) {
      child.stdin.write(`${order}\n`)
      return answer()
    },
    stop: () => stop(child),
    kill: () => kill(child),
  }
  return { first: await answer<First>(), program }
}

async function stop(child: ChildProcess): Promise<void> {
  child.stdin?.end()
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

/** Nothing happens if all of them are gone. */
function kill({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(process.platform === 'win32' ? pid : -pid, 'SIGKILL')
  } catch {}
}
