import { once } from 'node:events'
import { parentPort } from 'node:worker_threads'

// For fixtures that are run as a process or as a worker thread: how they talk with the test.

/** Tells the test. */
export function say(message: unknown): void {
  if (parentPort) parentPort.postMessage(message)
  else process.send?.(message)
}

/** What the test says next. */
export async function told(): Promise<unknown> {
  const [message] = await once((parentPort ?? process) as NodeJS.EventEmitter, 'message')
  return message
}
