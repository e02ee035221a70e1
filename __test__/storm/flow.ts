import { MpmcQueue, Pipe, Queue, type Reference, SharedMemory, SpscQueue } from 'crossmem'
import type { Part } from '../fixtures/proofs/take-part-in-a-flow.js'
import { gather } from '../processes/companions.js'
import { type Place, places } from '../processes/peers.js'

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

/** Lets a flow run until its end; how many messages were not taken once. Whoever finds disorder makes it fail. */
export async function run(flow: Flow): Promise<{ wrong: number; seconds: number }> {
  const { kind, capacity, messages, fillings = [0], batch = 64, messageBytes = 64 } = flow
  const isOneToOne = kind === 'SpscQueue' || kind === 'Pipe'
  // Of each role, as many processes as threads.
  const crew: readonly Place[] = isOneToOne ? ['process'] : [...places, ...places]
  const count = messages / crew.length
  using memory = SharedMemory.create(null, messages)
  const { ends, close } = make(kind, capacity, messageBytes)
  const parts = (role: Part['role']) =>
    crew.map((place, number): [Place, Part] => {
      const queue = ends[role]
      return [place, { queue, role, number, count, fillings, batch, memory: memory.name }]
    })
  const all = await gather('proofs/take-part-in-a-flow', [...parts('producer'), ...parts('consumer')])
  const began = performance.now()
  const [producers, consumers] = [all.slice(0, crew.length), all.slice(crew.length)]
  try {
    const failed = Promise.all(consumers.map(({ ended }) => ended))
    await Promise.race([Promise.all(producers.map(({ ended }) => ended)), failed])
    close()
    await failed
  } finally {
    await Promise.all(all.map(companion => companion.end()))
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
