import { MpmcQueue, Pipe, Queue, type Reference, SharedMemory, SpscQueue } from 'crossmem'
import { hire, type Place, places } from '../processes/hire.js'

/** What goes from producers to consumers. */
export interface Flow {
  kind: 'MpmcQueue' | 'Queue' | 'SpscQueue' | 'Pipe'
  /** Of the queue, in messages or bytes. */
  capacity: number
  messages: number
  messageBytes?: number
  /** Bytes that fill the parcels, in turn. */
  fillings?: readonly number[]
  batch?: number
}

/** A process or thread that takes part in a flow. */
export interface Part {
  queue: Reference
  role: 'producer' | 'consumer'
  /** Which of its role. */
  number: number
  /** Parcels of each producer. */
  count: number
  /** Bytes that fill the parcels, in turn. */
  fillings: readonly number[]
  /** Parcels of one batch, at most. */
  batch: number
  /** A byte per parcel: how often it was taken. */
  memory: string
}

export interface PartOrders {
  /** Puts in or takes out parcels until the end of the queue. */
  take(order: { part: Part }): void
}

export const startPart = (as: Place) => hire<PartOrders>('proofs/take-part-in-a-flow', { as })

/**
 * Lets a flow run until its end; how many messages were not taken exactly once. A consumer that
 * finds disorder makes it fail.
 */
export async function run(flow: Flow): Promise<{ wrong: number; seconds: number }> {
  const { kind, capacity, messages, fillings = [0], batch = 64, messageBytes = 64 } = flow
  const isOneToOne = kind === 'SpscQueue' || kind === 'Pipe'
  // Of each role, as many processes as threads.
  const crew: readonly Place[] = isOneToOne ? ['process'] : [...places, ...places]
  const count = messages / crew.length
  using memory = SharedMemory.create(null, messages)
  const { ends, close } = make(kind, capacity, messageBytes)
  const all = await Promise.all([...crew, ...crew].map(startPart))
  const take = (role: Part['role'], number: number) =>
    all[number + (role === 'producer' ? 0 : crew.length)]?.tell({
      do: 'take',
      part: { queue: ends[role], role, number, count, fillings, batch, memory: memory.name },
    })
  const began = performance.now()
  try {
    const consumed = Promise.all(crew.map((_, number) => take('consumer', number)))
    await Promise.race([Promise.all(crew.map((_, number) => take('producer', number))), consumed])
    close()
    await consumed
  } finally {
    await Promise.all(all.map(hired => hired.kill()))
  }
  const wrong = memory.bytes.reduce((sum, times) => sum + Number(times !== 1), 0)
  return { wrong, seconds: (performance.now() - began) / 1000 }
}

interface Made {
  ends: Record<Part['role'], Reference>
  /** Nothing more is put in. */
  close(): void
}

function make(kind: Flow['kind'], capacity: number, messageBytes: number): Made {
  if (kind === 'Pipe') {
    const [consumer, producer] = Pipe.create({ duplex: false, capacity })
    const ends = { producer: producer.toJSON(), consumer: consumer.toJSON() } as unknown as Made['ends']
    return { ends, close: () => [consumer, producer].map(end => end.close()) }
  }
  const queue =
    kind === 'SpscQueue'
      ? SpscQueue.create(null, { capacity })
      : { MpmcQueue, Queue }[kind].create(null, { capacity, messageBytes })
  const reference = queue.toJSON()
  return {
    ends: { producer: reference, consumer: reference },
    close: () => {
      if ('end' in queue) queue.end()
      queue.close()
    },
  }
}
