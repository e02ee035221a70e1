// An ES module that uses the package: only its types are checked, by .ci/run.
import {
  type AnyHandle,
  activeChildren,
  Barrier,
  type Codec,
  type CodecOption,
  Condition,
  CrossmemError,
  cpuCount,
  currentProcess,
  Event,
  FileLock,
  type Guard,
  gc,
  JoinableQueue,
  type ListItem,
  list,
  locks,
  Message,
  type MpmcOptions,
  MpmcQueue,
  type Mutex,
  NDArray,
  type NDView,
  type OpenQueueOptions,
  open,
  type Permit,
  Pipe,
  type PipeOptions,
  type PipeReference,
  Process,
  parentProcess,
  Queue,
  type QueueOptions,
  RecordQueue,
  RwLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedMemory,
  type SpscConsumer,
  type SpscOptions,
  type SpscProducer,
  SpscQueue,
  toDate,
  Value,
  type ValueQueueOptions,
} from 'crossmem'
import { type MapKey, type MapRange, SharedMap, type SharedMapOptions } from 'crossmem/map'

const words: ShareableList = ShareableList.create(null, ['a', 1, null, 2n], { table: 'sizes' })
const item: ListItem = words.get(0)
const memory: SharedMemory = SharedMemory.create(null, 16, { persist: false })
const bytes: Uint8Array = memory.bytes
const sharedBytes: SharedArrayBuffer = memory.shared.buffer
const array = NDArray.create('prices', { shape: [2, 3], dtype: 'float32' })
const data: Float32Array = array.data
const forWorkers: Float32Array = array.shared
const first: number = array.get(0, 0)
const ids: bigint = NDArray.create(null, { shape: 3, dtype: 'int64', fill: 5n }).get(0)
const copy: Float32Array = array.snapshot({ timeout: 100 })
const sum: number = array.update((values, { ownerDied }) => (ownerDied ? 0 : (values[0] ?? 0)))
const opened: NDArray = open({ crossmem: 'NDArray', name: 'prices' })
const floats: Float32Array = NDArray.from(null, Float32Array.of(1, 2)).data
const complex: Float64Array = NDArray.from(null, Float64Array.of(1, 2), { dtype: 'complex128' }).data
const either: AnyHandle = open('prices')
const mutex: Mutex = open({ crossmem: 'Mutex', name: 'ledger' })
const guard: Promise<Guard> = mutex.lock({ timeout: 5, signal: AbortSignal.timeout(5), unref: true })
const reading: Guard | undefined = RwLock.openOrCreate('catalogue').tryRead()
const permit: Permit = Semaphore.openOrCreate('slots', 2, { max: 2 }).acquireSync({ timeout: 1 })
const found: Promise<number> = Condition.open('stock').waitFor(() => (Math.random() < 2 ? 1 : undefined))
const waited: Promise<void> = Event.openOrCreate('ready', { autoReset: true }).wait()
const index: Promise<number> = Barrier.openOrCreate('start', 3, { action: () => undefined }).wait()
const result: Promise<string> = locks.request('report', { mode: 'shared' }, async lock => lock?.name ?? '')
const hits: number = Value.openOrCreate('hits', 'int32', 0).add(1)
const total: bigint = Value.openOrCreate('total', 'int64', 0n).value
const totals: Float64Array = SharedArray.create('totals', 'float64', 4).data
const file: boolean = FileLock.open('ledger.lock').lockSync({ shared: true }).shared
const child: Process<number> = Process.start<typeof import('./user.mjs'), 'double'>('./user.mjs', {
  run: 'double',
  args: [2],
  daemon: true,
})
const doubled: Promise<number> = child.result
// @ts-expect-error: there is no such export
Process.start<typeof import('./user.mjs')>('./user.mjs', { run: 'triple', args: [2] })
// @ts-expect-error: the argument is a number
Process.start<typeof import('./user.mjs')>('./user.mjs', { run: 'double', args: ['2'] })
// @ts-expect-error: the argument is missing
Process.start<typeof import('./user.mjs')>('./user.mjs', { run: 'double' })
// @ts-expect-error: there is no default export
Process.start<typeof import('./user.mjs')>('./user.mjs', { args: [2] })
const bare: Process = Process.start(new URL('file:///reader.js'), { args: [1, 'two'], stdio: 'ignore' })
const isJoined: Promise<void> = bare.join({ timeout: 5 })
const kept: Mutex = currentProcess().keep(mutex)
const processes: [Process[], boolean | undefined, number] = [
  activeChildren(),
  parentProcess()?.isAlive,
  cpuCount(),
]
const coded: number = Value.create(null, 'i', 3).value
const bigCoded: bigint = SharedArray.openOrCreate('coded', 'Q', [1n]).get(0)
const names: string[] = list().map(object => object.name)
const freed: number = gc().bytes
const trades = NDArray.create('trades', {
  shape: 10,
  dtype: [
    ['id', '<i8'],
    ['px', '<f8', [3]],
    ['sym', 'S8'],
    ['at', [['x', 'f4']], 2],
  ],
})
const trade: { id: bigint; px: number[]; sym: Uint8Array; at: { x: number }[] } = trades.get(0)
const prices: Float64Array = trades.field('px').data
const xs: NDView<'float32'> = trades.field('at').field('x')
trades.set(0, { id: 7, px: Float64Array.of(1, 2, 3), sym: 'AAPL', at: [{ x: 1 }, { x: 2 }] })
const spec = { names: ['flag', 'count'], formats: ['bool', '<u4'], aligned: true } as const
const count: number = NDArray.create(null, { shape: 1, dtype: spec }).get(0).count
const moment: Date = toDate(NDArray.create(null, { shape: 1, dtype: 'M8[ns]' }).get(0), 'datetime64[ns]')
const half: Uint16Array = NDArray.open('weights', { dtype: 'bfloat16' }).data
const text: string = NDArray.create(null, { shape: 1, dtype: '<U8', fill: 'x' }).get(0)
const anyArray: NDArray = trades
const loaded: Promise<NDArray> = NDArray.load('prices.npy', { name: 'loaded' })

interface Job {
  id: number
  pixels: NDArray
}

const spscOptions: SpscOptions = { capacity: 64, persist: false }
const ring: SpscQueue = SpscQueue.create(null, spscOptions)
const producer: SpscProducer = ring.openProducer()
const room: Uint8Array | undefined = producer.reserve(8)
const tickDType = [
  ['id', '<i8'],
  ['px', '<f8', [3]],
  ['sym', 'S8'],
] as const
const ticks = RecordQueue.openOrCreate('ticks', { dtype: tickDType, capacity: 16 })
ticks.putSync({ id: 1n, px: [1, 2, 3], sym: 'ABC' })
await ticks.putMany({ id: BigInt64Array.of(2n), px: Float64Array.of(4, 5, 6), sym: ['DEF'] })
const tick: { id: bigint; px: number[]; sym: Buffer } = ticks.getSync()
const batch = await ticks.getBatch(1024)
const tickIds: BigInt64Array = batch.column('id')
const tickPrices: Float64Array = batch.field('px').data
batch.release()
console.log(tick, tickIds, tickPrices)
// @ts-expect-error: a field is missing
ticks.tryPut({ id: 1n })
// @ts-expect-error: a field is unknown
void ticks.putMany({ ids: BigInt64Array.of(2n) })

const consumer: SpscConsumer = SpscQueue.openConsumer(ring.name)
const popped: Promise<Uint8Array[]> = consumer.popMany(8, { timeout: 5, unref: true })
const mpmcOptions: MpmcOptions = { capacity: 4, messageBytes: 64, redeliver: true, spill: false }
const frames: MpmcQueue = MpmcQueue.openOrCreate('frames', mpmcOptions)
const frame: Message<Uint8Array> | undefined = frames.tryReceive()
const length: number | undefined = frames.tryPopInto(new Uint8Array(64))
const queueOptions: QueueOptions = { capacity: 4 }
const codec: Codec<Job> = {
  name: 'jobs',
  encode: job => new TextEncoder().encode(JSON.stringify(job)),
  decode: message => JSON.parse(new TextDecoder().decode(message)) as Job,
}
const option: CodecOption<Job> = codec
const valueQueueOptions: ValueQueueOptions<Job> = { ...queueOptions, codec: option }
const openQueueOptions: OpenQueueOptions<Job> = { codec }
const jobs: Queue<Job> = Queue.create<Job>('jobs', valueQueueOptions)
const job: Promise<Job> = Queue.open<Job>('jobs', openQueueOptions).get({ signal: AbortSignal.timeout(5) })
const received: Promise<Message<Job>> = jobs.receive()
const isHeld: boolean = new Set<unknown>().has(Message)
const tasks: JoinableQueue<Job> = JoinableQueue.openOrCreate<Job>('tasks', { codec: 'v8' })
const joined: Promise<void> = tasks.join({ timeout: 5 })
const pipeOptions: PipeOptions<string> = { duplex: false, capacity: 4096, codec: 'json', name: 'wire' }
const [reader, writer]: [Pipe<string>, Pipe<string>] = Pipe.create<string>(pipeOptions)
const reference: PipeReference = writer.toJSON()
const claimed: Pipe<string> = Pipe.open<string>(reference)
const ready: Promise<Pipe<string>[]> = Pipe.wait([reader], { timeout: 0 })
const lines: AsyncIterable<string> = reader
const anyQueue: Queue = open({ crossmem: 'Queue', name: 'jobs' })
void jobs.readable.pipeTo(jobs.writable)

const isOurs = (error: unknown): boolean => error instanceof CrossmemError && error.code === 'ERR_NOT_FOUND'

// @ts-expect-error handles are made by create and open
new SharedMemory()
// @ts-expect-error no such dtype
NDArray.create(null, { shape: [1], dtype: 'float31' })
// @ts-expect-error no such field
trades.field('price')
// @ts-expect-error a field is missing
trades.set(0, { id: 7n, px: [1, 2, 3], sym: 'AAPL' })
// @ts-expect-error a Date is no span of time
NDArray.create(null, { shape: 1, dtype: 'timedelta64[s]', fill: new Date() })
// @ts-expect-error a queue of jobs
jobs.putSync('text')
// @ts-expect-error a queue of bytes
frames.tryPush('text')

export const double = (n: number): number => 2 * n

export {
  anyArray,
  anyQueue,
  bigCoded,
  bytes,
  claimed,
  coded,
  complex,
  copy,
  count,
  data,
  doubled,
  either,
  file,
  first,
  floats,
  forWorkers,
  found,
  frame,
  freed,
  guard,
  half,
  hits,
  ids,
  index,
  isHeld,
  isJoined,
  isOurs,
  item,
  job,
  joined,
  kept,
  length,
  lines,
  loaded,
  moment,
  names,
  opened,
  permit,
  popped,
  prices,
  processes,
  reading,
  ready,
  received,
  result,
  room,
  sharedBytes,
  sum,
  text,
  total,
  totals,
  trade,
  waited,
  xs,
}

interface Session {
  user: string
  visits: number
}
const mapOptions: SharedMapOptions<Session> = { ttl: 60_000, maxBytes: 1 << 20, persist: true }
using sessions = SharedMap.openOrCreate<Session>('sessions', mapOptions)
const key: MapKey = ['session', 17]
await sessions.set(key, { user: 'ada', visits: 1 }, { ttl: 1000, timeout: 100 })
const visits: number | undefined = sessions.get(key)?.visits
const updated: Session | undefined = await sessions.update(key, old => old && { ...old, visits: 2 })
const made: Session = await sessions.getOrInsert('bob', async () => ({ user: 'bob', visits: 0 }))
const mapRange: MapRange = { prefix: ['session'], reverse: true, limit: 5 }
for (const [at, { user }] of sessions.entries(mapRange)) console.log(at, user, visits, updated, made)
async function follow(): Promise<void> {
  for await (const session of sessions.watch(key, { unref: true })) console.log(session?.user)
}
const mapByReference: SharedMap = open({ crossmem: 'SharedMap', name: 'sessions' })
// @ts-expect-error: a session has a user
await sessions.set('eve', { visits: 1 })
// @ts-expect-error: no such option
SharedMap.create('sessions', { maxbytes: 1 })
console.log(mapByReference.size, follow)
