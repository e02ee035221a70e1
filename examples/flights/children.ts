import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Starts a program of this folder. The child ends when its channel closes. */
export const start = (program: string, serialization: 'json' | 'advanced' = 'json'): ChildProcess =>
  fork(join(__dirname, `${program}.js`), { serialization })

/** Sends to a child. If the child is dead, the message is lost, and 'exit' tells of the death. */
export const tell = (child: ChildProcess, message: object): void => {
  child.send(message, () => {})
}

/** The child's next message; rejects when it ends without one. */
export async function reply<T>(child: ChildProcess, signal: AbortSignal): Promise<T> {
  const either = new AbortController()
  const options = { signal: AbortSignal.any([signal, either.signal]) }
  try {
    return await Promise.race([
      once(child, 'message', options).then(([message]) => message as T),
      once(child, 'exit', options).then(([code, killedBy]) => {
        throw new Error(`child ${child.pid} ended (${code ?? killedBy}) before it answered`)
      }),
    ])
  } finally {
    either.abort()
  }
}

/** Closes the channels of all children, and waits until the children have ended. */
export async function end(children: Iterable<ChildProcess>): Promise<void> {
  for (const child of children) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    const exit = once(child, 'exit')
    if (child.connected) child.disconnect()
    await exit
  }
}
