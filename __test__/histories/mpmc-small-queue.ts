import { MpmcQueue } from 'crossmem'
import type { SmallQueue } from './small-queue.js'

const MESSAGE_BYTES = 8

/**
 * Both halves say the same, so that a half-written message is detected: it is 0, which no process
 * pushes.
 */
const encode = (message: number): Uint8Array => new Uint8Array(Int32Array.of(message, ~message).buffer)

function decode(bytes: Uint8Array): number {
  if (bytes.length !== MESSAGE_BYTES) return 0
  const [message = 0, complement] = new Int32Array(Uint8Array.from(bytes).buffer)
  return complement === ~message ? message : 0
}

/** With `redeliver`, what comes back from a killed process is negative. */
export const mpmc =
  (redeliver: boolean) =>
  (name: string, capacity: number): SmallQueue => {
    const queue = MpmcQueue.openOrCreate(name, {
      capacity,
      messageBytes: MESSAGE_BYTES,
      redeliver,
      spill: false,
    })

    const pop = (): number | undefined => {
      const bytes = queue.tryPop()
      return bytes && decode(bytes)
    }
    const receive = (): number | undefined => {
      using received = queue.tryReceive()
      if (!received) return undefined
      const message = decode(received.value)
      return received.redelivered ? -message : message
    }
    return {
      tryPush: message => queue.tryPush(encode(message)),
      tryPop: redeliver ? receive : pop,
      [Symbol.dispose]: () => queue.close(),
    }
  }
