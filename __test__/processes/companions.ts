import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { fixture } from '../helpers/paths.js'
import { gone, message, start } from './children.js'
import type { Place } from './peers.js'

/** A program of `fixtures/` at work, as a process or as a thread. */
export interface Companion {
  /** Rejects when it fails. */
  ended: Promise<unknown>
  /** Only processes heed signals. */
  signal(signal: NodeJS.Signals): void
  end(): Promise<unknown>
}

/** Starts programs and, when all of them are ready, tells each what to do. */
export async function gather<Order>(
  program: string,
  orders: readonly (readonly [Place, Order])[],
): Promise<Companion[]> {
  const waiting = await Promise.all(orders.map(([place]) => (place === 'process' ? fork : thread)(program)))
  const companions = waiting.map((begin, i) => begin(orders[i]?.[1]))
  // Who waits for their end hears of it.
  for (const { ended } of companions) ended.catch(() => undefined)
  return companions
}

async function fork(program: string): Promise<(order: unknown) => Companion> {
  const child = start(program)
  await message(child)
  return order => {
    child.send(order as object)
    const end = gone(child)
    const ended = end.then(({ code, signal }) => {
      if (code !== 0) throw new Error(`${program} ended with ${code ?? signal}`)
    })
    return {
      ended,
      signal: signal => child.kill(signal),
      end: () => {
        child.kill('SIGKILL')
        return end
      },
    }
  }
}

async function thread(program: string): Promise<(order: unknown) => Companion> {
  const worker = new Worker(fixture(program))
  await once(worker, 'message')
  return order => {
    worker.postMessage(order)
    return { ended: once(worker, 'exit'), signal: () => undefined, end: () => worker.terminate() }
  }
}
