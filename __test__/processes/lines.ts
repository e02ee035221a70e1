import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Worker } from 'node:worker_threads'
import { fixture, root } from '../helpers/paths.js'
import { python } from '../helpers/python.js'
import { type Account, gone, start, startAs, startBy } from './children.js'
import type { Said, Told } from './orders.js'

/** How a program ended. */
export interface End {
  code: number | null
  signal: string | null
  /** Of Python: what the program and its resource tracker complained about. */
  stderr?: string
}

/** How messages reach a program and come back, wherever it runs. */
export interface Line {
  /** The process that it runs in, if it is not a thread. */
  readonly child?: ChildProcess
  readonly ended: Promise<End>
  send(message: Told): void
  hear(listener: (said: Said) => void): void
  /** Lets the program end by itself. */
  hangUp(): void
  kill(): void
}

/** Starts a program of `fixtures/`. */
type Starter = (program: string, args: readonly string[], how: How) => Line

/** The runtime or user that runs a program. */
export interface How {
  /** Of a process. */
  account?: Account
  /** The command that runs the process, such as one that puts it into a network namespace. */
  by?: readonly string[]
  /** The path of a Python other than the one of all tests. */
  interpreter?: string
}

const processLine: Starter = (program, args, { account, by }) => {
  const child = by
    ? startBy(by, program, ...args)
    : account
      ? startAs(account, program, ...args)
      : start(program, ...args)
  return {
    child,
    ended: gone(child),
    // The end of a program that has gone already is told by `ended`.
    send: message => void child.send(message, () => undefined),
    hear: listener => void child.on('message', listener as (message: unknown) => void),
    hangUp: () => child.disconnect(),
    kill: () => void child.kill('SIGKILL'),
  }
}

const threadLine: Starter = (program, argv) => {
  const worker = new Worker(fixture(program), { argv: [...argv] })
  worker.on('error', () => undefined)
  return {
    ended: new Promise(resolve => worker.once('exit', code => resolve({ code, signal: null }))),
    send: message => worker.postMessage(message),
    hear: listener => void worker.on('message', listener),
    hangUp: () => worker.postMessage('leave'),
    kill: () => void worker.terminate(),
  }
}

/**
 * Python's programs are not compiled: they stay where they were written. Each message is a line of
 * JSON.
 */
const pythonLine: Starter = (program, args, { interpreter }) => {
  const found = interpreter ? { path: interpreter } : python()
  if (found.path === null) throw new Error(found.reason)
  const path = join(root, '__test__', 'fixtures', `${program}.py`)
  const child = spawn(found.path, [path, ...args], {
    env: { ...process.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONIOENCODING: 'utf-8' },
  })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', text => {
    stderr += text
  })
  child.stdin.on('error', () => undefined)
  const lines = createInterface({ input: child.stdout })
  // Not 'exit': the resource tracker shares stderr, and 'close' waits until neither can write to it
  // any more.
  const closed = once(child, 'close')
  return {
    child,
    ended: closed.then(([code, signal]) => ({ code, signal, stderr })),
    send: message => void child.stdin.write(`${JSON.stringify(message)}\n`),
    hear: listener => void lines.on('line', line => listener(JSON.parse(line))),
    hangUp: () => void child.stdin.end(),
    kill: () => void child.kill('SIGKILL'),
  }
}

export const starters = { process: processLine, thread: threadLine, python: pythonLine }
