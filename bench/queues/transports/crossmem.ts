import {
  MpmcQueue,
  open,
  Pipe,
  Queue,
  type QueueOptions,
  RecordQueue,
  type Reference,
  SpscQueue,
} from 'crossmem'
import { farProcess } from '../control.js'
import type { Message, Parcel } from '../messages.js'
import { type End, ringBytes, type Transport } from '../transport.js'

/** `sync` and `await` park while they wait; `try` retries in a loop. */
type Way = 'sync' | 'await' | 'try'

/**
 * The calls of one end, for one message and for several. With `try`, a call returns undefined, 0 or
 * [] if the queue is full or empty.
 */
interface Calls {
  put(message: Message): unknown
  putMany(messages: Message[]): unknown
  get(): unknown
  getMany(max: number): unknown
}

type Ways = Partial<Record<Way, Calls>>

/** A kind of queue: `create` makes both directions, and the far end opens them by references. */
interface Kind {
  create(largest: number): { ways: Ways; references: Reference[]; close(): void }
  open(references: Reference[]): Ways
}

/** The defaults for small messages; as many bytes of large ones, but at least four messages. */
function options(largest: number): QueueOptions {
  if (largest <= 1024) return {}
  const messageBytes = largest + 512
  return { capacity: Math.max(4, Math.floor((2 << 20) / messageBytes)), messageBytes }
}

/** If one end dies, the other one must not wait for ever. */
const WAIT = { timeout: 60_000 }

function transportsOf(name: string, kind: Kind, ways: Way[]): Record<string, Transport> {
  return Object.fromEntries(ways.map(way => [`${name}-${way}`, transport(`${name}-${way}`, kind, way)]))
}

const transport = (name: string, kind: Kind, way: Way): Transport => ({
  near(largest) {
    const { ways, references, close } = kind.create(largest)
    return {
      end: endOf(ways, way),
      start: () => farProcess({ transport: name, data: references }),
      stop: close,
    }
  },
  far: references => endOf(kind.open(references as Reference[]), way),
})

const endOf = (ways: Ways, way: Way): End => ends[way](ways[way] as Calls)

/** The same loop three times, so that V8 compiles each for its own calls. */
const ends: Record<Way, (calls: Calls) => End> = {
  sync: calls => ({
    send(parcel) {
      if (Array.isArray(parcel)) calls.putMany(parcel)
      else calls.put(parcel)
    },
    receive({ batch }, take) {
      while (!take((batch === 1 ? calls.get() : calls.getMany(batch)) as Parcel));
    },
  }),
  await: calls => ({
    send: parcel => (Array.isArray(parcel) ? calls.putMany(parcel) : calls.put(parcel)) as Promise<void>,
    async receive({ batch }, take) {
      while (!take((await (batch === 1 ? calls.get() : calls.getMany(batch))) as Parcel));
    },
  }),
  try: calls => ({
    send(parcel) {
      if (!Array.isArray(parcel)) while (!calls.put(parcel));
      else for (let put = 0; put < parcel.length; ) put += calls.putMany(parcel.slice(put)) as number
    },
    receive({ batch }, take) {
      for (;;) {
        const came = (batch === 1 ? calls.get() : calls.getMany(batch)) as Parcel | undefined
        if (came !== undefined && take(came)) return
      }
    },
  }),
}

/** A queue each way. */
function twoQueues<Q extends MpmcQueue | Queue<Message> | RecordQueue>(
  make: (options: QueueOptions) => Q,
  waysOf: (out: Q, into: Q) => Ways,
): Kind {
  return {
    create(largest) {
      const [there, back] = [make(options(largest)), make(options(largest))]
      return {
        ways: waysOf(there, back),
        references: [there.toJSON(), back.toJSON()],
        close: closing(there, back),
      }
    },
    open([there, back]) {
      return waysOf(open(back as Reference) as unknown as Q, open(there as Reference) as unknown as Q)
    },
  }
}

const spsc: Kind = {
  create(largest) {
    const ring = { capacity: ringBytes(largest) }
    const queues = [SpscQueue.create(null, ring), SpscQueue.create(null, ring)] as const
    const [out, into] = [queues[0].openProducer(), queues[1].openConsumer()]
    return {
      ways: bytesWays(out, into),
      references: queues.map(queue => queue.toJSON()),
      close: closing(out, into, ...queues),
    }
  },
  open([there, back]) {
    return bytesWays(
      SpscQueue.openProducer((back as Reference).name),
      SpscQueue.openConsumer((there as Reference).name),
    )
  },
}

type Out = Pick<MpmcQueue, 'push' | 'pushSync' | 'tryPush' | 'pushMany' | 'pushManySync' | 'tryPushMany'>
type Into = Pick<MpmcQueue, 'pop' | 'popSync' | 'tryPop' | 'popMany' | 'popManySync' | 'tryPopMany'>

/** For SpscQueue's ends and for MpmcQueue, which have the same methods. */
const bytesWays = (out: Out, into: Into): Ways => ({
  sync: {
    put: message => out.pushSync(message as Uint8Array, WAIT),
    putMany: messages => out.pushManySync(messages as Uint8Array[], WAIT),
    get: () => into.popSync(WAIT),
    getMany: max => into.popManySync(max, WAIT),
  },
  await: {
    put: message => out.push(message as Uint8Array, WAIT),
    putMany: messages => out.pushMany(messages as Uint8Array[], WAIT),
    get: () => into.pop(WAIT),
    getMany: max => into.popMany(max, WAIT),
  },
  try: {
    put: message => out.tryPush(message as Uint8Array),
    putMany: messages => out.tryPushMany(messages as Uint8Array[]),
    get: () => into.tryPop(),
    getMany: max => into.tryPopMany(max),
  },
})

const queueWays = (out: Queue<Message>, into: Queue<Message>): Ways => ({
  sync: {
    put: message => out.putSync(message, WAIT),
    putMany: messages => out.putManySync(messages, WAIT),
    get: () => into.getSync(WAIT),
    getMany: max => into.getManySync(max, WAIT),
  },
  await: {
    put: message => out.put(message, WAIT),
    putMany: messages => out.putMany(messages, WAIT),
    get: () => into.get(WAIT),
    getMany: max => into.getMany(max, WAIT),
  },
  try: {
    put: message => out.tryPut(message),
    putMany: messages => out.tryPutMany(messages),
    get: () => into.tryGet(),
    getMany: max => into.tryGetMany(max),
  },
})

/** The fields of a small object. */
const ITEM = [
  ['id', '<i4'],
  ['kind', 'S8'],
  ['price', '<f8'],
  ['tags', 'S8', [2]],
  ['paid', 'b1'],
] as const

const recordWays = (out: RecordQueue, into: RecordQueue): Ways => queueWays(asValues(out), asValues(into))

/** A queue of records has the methods of a queue of values. */
const asValues = (queue: RecordQueue): Queue<Message> => queue as unknown as Queue<Message>

/** A pipe has no calls for several messages: a batch is one array. */
const pipe: Kind = {
  create(largest) {
    const [near, far] = Pipe.create<Parcel>({ capacity: ringBytes(largest) })
    return { ways: pipeWays(near), references: [far.toJSON()], close: closing(near, far) }
  },
  open([end]) {
    return pipeWays(open(end as Reference) as Pipe<Parcel>)
  },
}

const pipeWays = (end: Pipe<Parcel>): Ways => {
  const sync = (parcel: Parcel): void => end.sendSync(parcel, WAIT)
  const later = (parcel: Parcel): Promise<void> => end.send(parcel, WAIT)
  return {
    sync: { put: sync, putMany: sync, get: () => end.recvSync(WAIT), getMany: () => end.recvSync(WAIT) },
    await: { put: later, putMany: later, get: () => end.recv(WAIT), getMany: () => end.recv(WAIT) },
  }
}

const closing =
  (...handles: { close(): void }[]) =>
  (): void => {
    for (const handle of handles) handle.close()
  }

const mpmc = twoQueues<MpmcQueue>(options => MpmcQueue.create(null, options), bytesWays)
const queue = twoQueues<Queue<Message>>(options => Queue.create<Message>(null, options), queueWays)

const records = twoQueues<RecordQueue>(
  () => RecordQueue.create(null, { dtype: ITEM }) as unknown as RecordQueue,
  recordWays,
)

export const crossmemTransports: Record<string, Transport> = {
  ...transportsOf('SpscQueue', spsc, ['sync', 'await', 'try']),
  ...transportsOf('MpmcQueue', mpmc, ['sync', 'await', 'try']),
  ...transportsOf('Queue', queue, ['sync', 'await', 'try']),
  ...transportsOf('RecordQueue', records, ['sync', 'await', 'try']),
  ...transportsOf('Pipe', pipe, ['sync', 'await']),
}
