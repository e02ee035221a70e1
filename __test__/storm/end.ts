import { JoinableQueue, MpmcQueue, SpscQueue } from 'crossmem'
import { packingOf } from './parcels.js'
import { CAPACITY, LAST, type Made } from './streams.js'

/**
 * In milliseconds: longer than any call takes, and than starting two dozen processes takes on a
 * slow machine.
 */
export const HANG = 60_000
/** In milliseconds: longer than it takes until a waiting call checks for dead processes. */
const DEATHS_ARE_FOUND = 250

type Queue = Exclude<Made, SpscQueue>

const tryPut = (queue: Queue, packed: unknown): boolean =>
  queue instanceof MpmcQueue ? queue.tryPush(packed as Uint8Array) : queue.tryPut(packed)

/** Puts in the last message. */
export async function putLast(queue: Made): Promise<void> {
  const last = packingOf(queue.crossmem).pack({ producer: LAST, id: LAST, filling: 0 })
  const wait = { timeout: HANG }
  if (queue instanceof SpscQueue) {
    using producer = queue.openProducer()
    await producer.push(last as Uint8Array, wait)
  } else if (queue instanceof MpmcQueue) await queue.push(last as Uint8Array, wait)
  else await queue.put(last, wait)
}

/** Takes out everything, also what comes back from the dead. */
export function* drain(queue: Made): Generator<unknown, void, void> {
  if (queue instanceof SpscQueue) {
    using consumer = queue.openConsumer()
    for (let packed = consumer.tryPop(); packed; packed = consumer.tryPop()) yield packed
    return
  }
  for (;;) {
    try {
      using message = queue.receiveSync({ timeout: DEATHS_ARE_FOUND })
      yield message.value
    } catch (error) {
      const { code } = error as { code?: string }
      if (code === 'ERR_TIMEOUT' || code === 'ERR_ENDED') return
      throw error
    }
  }
}

/** A flaw of a queue that should be empty and has no users any more. */
export function flawOf(queue: Made): string | undefined {
  if (queue instanceof SpscQueue) return queue.isEmpty ? undefined : `${queue.usedBytes} bytes are in use`
  if (queue instanceof JoinableQueue) {
    queue.joinSync({ timeout: HANG })
    if (queue.unfinished > 0) return `${queue.unfinished} tasks are unfinished`
  }
  const { pack } = packingOf(queue.crossmem)
  let room = 0
  while (tryPut(queue, pack({ producer: 0, id: room, filling: 0 }))) room++
  let left = 0
  for (let message = queue.tryReceive(); message; message = queue.tryReceive(), left++) message.release()
  if (room === CAPACITY && left === CAPACITY) return undefined
  return `there is room for ${room}, and ${left} came out`
}
