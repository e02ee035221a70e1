import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import { JoinableQueue, Pipe, Queue, SpscQueue } from 'crossmem'
import { OFTEN } from '../contracts/structured.js'
import { refusedOr } from './oracle.js'

/** What lies in shared memory, and its reader. */
interface Read {
  name: string
  reads: (() => unknown)[]
}

const message = new Uint8Array(20).fill(7)

const makers: (() => Read)[] = [
  () => {
    const queue = SpscQueue.create(null, { capacity: 256 })
    const [producer, consumer] = [queue.openProducer(), queue.openConsumer()]
    producer.tryPushMany([message, message])
    const reads = [
      () => consumer.tryPop(),
      () => consumer.tryPopMany(3),
      () => consumer.peek(),
      () => consumer.release(),
      () => producer.tryPush(message),
      () => queue.usedBytes,
    ]
    return { name: queue.name, reads }
  },
  () => {
    const queue = Queue.create(null, { capacity: 3, messageBytes: 64 })
    // Often enough to get a structure.
    for (let i = 0; i < OFTEN; i++) {
      queue.tryPut({ some: ['value', 1] })
      queue.tryGet()
    }
    queue.tryPut({ some: ['value', 1] })
    queue.tryPut('x'.repeat(100))
    const reads = [
      () => queue.tryGet(),
      () => queue.tryGetMany(3),
      () => queue.tryReceive()?.release(),
      () => queue.tryPut([1, 2]),
      () => queue.size,
      () => {
        // A handle that has read no structures yet.
        using fresh = Queue.open(queue.name)
        return fresh.tryGet()
      },
      () => queue.tryPutMany(Array(OFTEN).fill({ another: 1 })),
    ]
    return { name: queue.name, reads }
  },
  () => {
    const queue = JoinableQueue.create(null, { capacity: 3, messageBytes: 64 })
    queue.tryPut(new Date(0))
    const reads = [
      () => queue.tryGet(),
      () => queue.tryPut(1),
      () => queue.taskDone(),
      () => queue.unfinished,
    ]
    return { name: queue.name, reads }
  },
  () => {
    const [near, far] = Pipe.create({ capacity: 256 })
    near.sendSync({ x: new Uint8Array(3) }, { timeout: 0 })
    const reads = [() => far.tryRecv(), () => far.pollSync(0), () => near.tryRecv()]
    return { name: near.name, reads }
  },
]

const made: (Read & { sound: Buffer; file: number })[] = []

/** Made when it is needed: they stay open, and are as new for each input. */
function used(which: number): (typeof made)[number] {
  const found = made[which]
  if (found) {
    writeSync(found.file, found.sound, 0, found.sound.length, 0)
    return found
  }
  const read = (makers[which] as () => Read)()
  const path = `/dev/shm/${read.name}`
  const now = { ...read, sound: readFileSync(path), file: openSync(path, 'r+') }
  made[which] = now
  return now
}

/** An input is: which, and then where, how many bytes, the bytes, which read, … */
export function messageRecords(input: Uint8Array): void {
  const { reads, sound, file } = used((input[0] ?? 0) % makers.length)
  const view = Buffer.from(input)
  for (let at = 1; at + 4 < view.length; ) {
    const length = (view[at + 2] as number) % 17
    const bytes = view.subarray(at + 3, at + 3 + length)
    // The header stays: it was read when the object was opened.
    const from = 64 + (view.readUInt16LE(at) % (sound.length - 64 - length))
    writeSync(file, bytes, 0, bytes.length, from)
    at += 3 + length
    const read = reads[(view[at] ?? 0) % reads.length] as () => unknown
    refusedOr(read)
    at++
  }
}

/** Nothing stays behind. */
process.once('exit', () => {
  for (const { file } of made) closeSync(file)
})
