import { RingBuffer } from 'ringbuf.js'
import { packageVersion } from '../../harness/package-version.js'
import { farThread } from '../control.js'
import { type End, ringBytes, type Transport } from '../transport.js'

/** ringbuf.js between two threads: a ring of bytes each way. It can't wait, so both ends spin. */
export const ringbuf: Transport = {
  near(largest) {
    const [there, back] = [newStorage(largest), newStorage(largest)]
    return {
      end: ringEnd(there, back),
      start: () => farThread({ transport: 'ringbuf', data: [back, there] }),
      version: packageVersion('ringbuf.js'),
    }
  },
  far(data) {
    const [there, back] = data as [SharedArrayBuffer, SharedArrayBuffer]
    return ringEnd(there, back)
  },
}

const newStorage = (largest: number): SharedArrayBuffer =>
  RingBuffer.getStorageForCapacity(ringBytes(largest), Uint8Array)

/**
 * The ring keeps no boundaries between messages; here all messages of a run have one size. A batch
 * is pushed and popped in one call.
 */
function ringEnd(there: SharedArrayBuffer, back: SharedArrayBuffer): End {
  const [outgoing, incoming] = [new RingBuffer(there, Uint8Array), new RingBuffer(back, Uint8Array)]
  let staged = new Uint8Array(0)

  function push(bytes: Uint8Array): void {
    while (outgoing.available_write() < bytes.length);
    outgoing.push(bytes)
  }

  return {
    send(parcel) {
      if (!Array.isArray(parcel)) return push(parcel as Uint8Array)
      const messages = parcel as Uint8Array[]
      const size = (messages[0] as Uint8Array).length
      if (staged.length !== size * messages.length) staged = new Uint8Array(size * messages.length)
      messages.forEach((message, i) => {
        staged.set(message, i * size)
      })
      push(staged)
    },
    receive({ payload, batch }, take) {
      const size = payload as number
      const popped = new Uint8Array(size * batch)
      const messages = Array.from({ length: batch }, (_, i) => popped.subarray(i * size, (i + 1) * size))
      const parcel = batch === 1 ? popped : messages
      do {
        while (incoming.available_read() < popped.length);
        incoming.pop(popped)
      } while (!take(parcel))
    },
  }
}
