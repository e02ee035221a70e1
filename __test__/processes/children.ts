import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fixture } from '../helpers/paths.js'

/** Starts a child program of `fixtures/` with an IPC channel. Its domain is this process's. */
export const start = (program: string, ...args: string[]): ChildProcess =>
  fork(fixture(program), args, { serialization: 'json' })

/** A user of the system, as whom only root can start a program. */
export interface Account {
  uid: number
  /** The groups beside the user's own, which has the same number as the user. */
  groups: readonly number[]
  /** Variables beside those of this process. */
  env?: Record<string, string>
}

/** The command that runs another as a user. */
export const runAs = ({ uid, groups }: Account): [string, ...string[]] => [
  'setpriv',
  `--reuid=${uid}`,
  `--regid=${uid}`,
  groups.length > 0 ? `--groups=${groups.join()}` : '--clear-groups',
]

/** As `start`, as another user. */
export function startAs(account: Account, program: string, ...args: string[]): ChildProcess {
  const [execPath, ...options] = runAs(account)
  const env = { ...process.env, ...account.env }
  const execArgv = [...options, process.execPath]
  return fork(fixture(program), args, { serialization: 'json', execPath, execArgv, env })
}

/** As `start`, by a command that runs the command behind it. */
export function startBy(command: readonly string[], program: string, ...args: string[]): ChildProcess {
  const [execPath = '', ...options] = command
  return fork(fixture(program), args, {
    serialization: 'json',
    execPath,
    execArgv: [...options, process.execPath],
  })
}

/** The child's next message; rejects when it ends without one. */
export async function message<T>(child: ChildProcess): Promise<T> {
  const cancelled = new AbortController()
  const { signal } = cancelled
  try {
    return await Promise.race([
      once(child, 'message', { signal }).then(([value]) => value as T),
      once(child, 'exit', { signal }).then(([code, died]) => {
        throw new Error(`the child ended with ${code ?? died} before it said anything`)
      }),
    ])
  } finally {
    cancelled.abort()
  }
}

/** Waits until the child is gone and reaped: the kernel has dropped all it held. */
export async function gone(child: ChildProcess): Promise<{ code: number | null; signal: string | null }> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return { code: child.exitCode, signal: child.signalCode }
}

/** Kills a child at once, and waits until it is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await gone(child)
}
