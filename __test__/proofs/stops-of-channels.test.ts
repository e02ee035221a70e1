import '../helpers/domain.js'
import ava, { type ExecutionContext } from 'ava'
import {
  CrossmemError,
  list,
  Pipe,
  type PipeReference,
  type Reference,
  SharedMemory,
  SpscQueue,
  type WaitOptions,
} from 'crossmem'
import { random } from '../helpers/random.js'
import { type Part, startPart } from '../storm/flow.js'
import { packingOf } from '../storm/parcels.js'

const test = process.platform === 'win32' ? ava.skip : ava.serial
/** Far more messages than are put in meanwhile. */
const COUNT = 100_000
const STOPS = 20
/** Messages between two stops, at most. */
const BETWEEN = 1000
const FILLING = 16
const CAPACITY = 4096
const SHORT = { timeout: 100 }

/** The side of a channel that is here, and what the other side opens. */
interface Here extends Disposable {
  there: Reference
  put(message: unknown, isSync: boolean, wait?: WaitOptions): unknown
  take(isSync: boolean, wait?: WaitOptions): unknown
}

function spsc(role: Part['role']): Here {
  const queue = SpscQueue.create(null, { capacity: CAPACITY })
  const end = role === 'producer' ? queue.openProducer() : queue.openConsumer()
  const [producer, consumer] = [end, end] as never as [
    ReturnType<SpscQueue['openProducer']>,
    ReturnType<SpscQueue['openConsumer']>,
  ]
  return {
    there: queue,
    put: (message, isSync, wait) =>
      isSync ? producer.pushSync(message as Uint8Array, wait) : producer.push(message as Uint8Array, wait),
    take: (isSync, wait) => (isSync ? consumer.popSync(wait) : consumer.pop(wait)),
    [Symbol.dispose]: () => {
      if (role === 'producer') producer.end()
      end.close()
      queue.close()
    },
  }
}

function pipe(role: Part['role']): Here {
  const ends = Pipe.create({ duplex: false, capacity: CAPACITY })
  const [here, there] = role === 'consumer' ? ends : (ends.toReversed() as typeof ends)
  const reference: PipeReference = there.toJSON()
  return {
    there: reference as never,
    put: (message, isSync, wait) => (isSync ? here.sendSync(message, wait) : here.send(message, wait)),
    take: (isSync, wait) => (isSync ? here.recvSync(wait) : here.recv(wait)),
    [Symbol.dispose]: () => {
      here.close()
      there.close()
    },
  }
}

async function begin(t: ExecutionContext, { there }: Here, role: Part['role'], memory: SharedMemory) {
  const { crossmem, name, end } = JSON.parse(JSON.stringify(there))
  const queue = { crossmem, name, end }
  const part: Part = {
    queue,
    role,
    number: 0,
    count: COUNT,
    fillings: [FILLING],
    batch: 8,
    memory: memory.name,
  }
  const hired = await startPart('process')
  t.teardown(() => hired.kill())
  return { ended: hired.tell({ do: 'take', part }), signal: (signal: NodeJS.Signals) => hired.signal(signal) }
}

/** Makes an attempt, here or on this thread; whether it was in time. */
async function inTime(attempt: () => unknown): Promise<boolean> {
  try {
    await attempt()
    return true
  } catch (error) {
    if (error instanceof CrossmemError && error.code === 'ERR_TIMEOUT') return false
    throw error
  }
}

for (const [kind, open] of [
  ['SpscQueue', spsc],
  ['Pipe', pipe],
] as const) {
  const { pack, unpack } = packingOf(kind)

  test(`${kind}: a consumer times out while the producer is stopped, and misses nothing`, async t => {
    const below = random(1)
    using memory = SharedMemory.create(null, COUNT)
    using here = open('consumer')
    const producer = await begin(t, here, 'producer', memory)
    let next = 0
    const take = async (isSync: boolean, wait?: WaitOptions): Promise<void> => {
      const { id } = unpack(await here.take(isSync, wait))
      if (id !== next++) throw new Error(`${id} came instead of ${next - 1}`)
    }
    for (let stop = 0; stop < STOPS; stop++) {
      for (let count = below(BETWEEN); count > 0; count--) await take(below(2) === 0)
      producer.signal('SIGSTOP')
      while (await inTime(() => take(stop % 2 === 0, SHORT)));
      producer.signal('SIGCONT')
    }
    while (next < COUNT) await take(false)
    await producer.ended
    t.is(next, COUNT)
    await t.throwsAsync(async () => here.take(false), { code: 'ERR_ENDED' })
  })

  test(`${kind}: a producer times out while the consumer is stopped, and loses nothing`, async t => {
    const below = random(2)
    using memory = SharedMemory.create(null, COUNT)
    const here = open('producer')
    const consumer = await begin(t, here, 'consumer', memory)
    let next = 0
    const put = async (isSync: boolean, wait?: WaitOptions): Promise<void> => {
      await here.put(pack({ producer: 0, id: next, filling: FILLING }), isSync, wait)
      next++
    }
    for (let stop = 0; stop < STOPS; stop++) {
      for (let count = below(BETWEEN); count > 0; count--) await put(below(2) === 0)
      consumer.signal('SIGSTOP')
      while (await inTime(() => put(stop % 2 === 0, SHORT)));
      consumer.signal('SIGCONT')
    }
    here[Symbol.dispose]()
    await consumer.ended
    t.deepEqual(memory.bytes, new Uint8Array(COUNT).fill(1, 0, next))
    memory.close()
    t.deepEqual(list(), [])
  })
}
