import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'
import type { Answer, Argument, Said, Told } from './orders.js'

// For programs of `fixtures/`, run as a process or as a worker thread: how they talk with the test
// that started them.

/** Tells the test. */
export function say(message: unknown): void {
  if (parentPort) parentPort.postMessage(message)
  else if (process.connected) process.send?.(message)
}

/** What the test says next. */
export async function told(): Promise<unknown> {
  const [message] = await once((parentPort ?? process) as NodeJS.EventEmitter, 'message')
  return message
}

/** What carries out orders. A method that is about to wait calls `waits`. */
type Methods<Orders> = {
  [Name in keyof Orders]: (
    order: Argument<Orders[Name]>,
    waits: () => void,
  ) => Answer<Orders[Name]> | Promise<Answer<Orders[Name]>>
}

/** Carries out the orders of the test, and answers each, until the test lets the program leave. */
export function obey<Orders>(methods: Methods<Orders>): void {
  const carryOut = async ({ id, order }: Told): Promise<Said> => {
    try {
      const waits = () => say({ id, waits: true })
      return { id, answer: await methods[(order as { do: keyof Orders }).do](order as never, waits) }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      return { id, refused: message, code }
    }
  }
  const hear = (told: Told | 'leave'): void => {
    if (told === 'leave') leave()
    else void carryOut(told).then(say)
  }
  if (parentPort) parentPort.on('message', hear)
  else process.on('message', hear)
  say({ id: 0 } satisfies Said)
}

/** Lets this program end as soon as nothing else keeps it. */
export function leave(): void {
  if (parentPort) parentPort.close()
  else if (process.connected) process.disconnect()
}
