// Every call that takes options refuses what is no options, and options that it doesn't know. Which
// calls take options, the shipped declarations say.
import '../helpers/domain.js'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import {
  Barrier,
  Condition,
  CrossmemError,
  Event,
  FileLock,
  JoinableQueue,
  locks,
  MpmcQueue,
  Mutex,
  NDArray,
  Pipe,
  Pool,
  Process,
  Queue,
  RecordQueue,
  RLock,
  RwLock,
  Semaphore,
  ShareableList,
  SharedArray,
  SharedMemory,
  SpscQueue,
  Value,
} from 'crossmem'
import { SharedMap } from 'crossmem/map'
import { publicApi } from '../helpers/declarations.js'
import { unique } from '../helpers/domain.js'

/** A call with something in the place of its options. */
type Call = (options: never) => unknown

const dtype = [['id', '<i4']] as const
const path = join(tmpdir(), `${unique('options')}.npy`)

const mutex = Mutex.create(null)
const rlock = RLock.create(null)
const rwlock = RwLock.create(null)
const semaphore = Semaphore.create(null)
const condition = Condition.create(null)
const event = Event.create(null)
const barrier = Barrier.create(null, 1)
const memory = SharedMemory.create(null, 8)
const array = NDArray.create(null, { shape: 2 })
const shared = SharedArray.create(null, 'int32', 2)
const value = Value.create(null, 'int32')
const queue = Queue.create(null)
const joinable = JoinableQueue.create(null)
const bytes = MpmcQueue.create(null)
const spsc = SpscQueue.create(null)
const [producer, consumer] = [spsc.openProducer(), spsc.openConsumer()]
const records = RecordQueue.create(null, { dtype })
const [pipe, otherEnd] = Pipe.create()
const file = FileLock.open(join(tmpdir(), unique('options.lock')))
// It starts no worker before a task comes.
const pool = new Pool('data:text/javascript,', { workers: 1, minWorkers: 0 })
const items = ShareableList.create(null, [1])
const map = SharedMap.create(null)
// `terminate` and `join` check their options before they look at the process.
const child: Process = Object.create(Process.prototype)

const message = Uint8Array.of(1)
const buffer = new Uint8Array(8)
const act = () => undefined
for (const filled of [queue, joinable]) filled.putSync('kept')
for (const filled of [bytes, producer]) filled.pushSync(message)
records.putSync({ id: 1 })
otherEnd.sendSync('kept')
otherEnd.sendBytesSync(message)

const calls: Record<string, Call[]> = {
  'Barrier.create': [o => Barrier.create(null, 1, o)],
  'Barrier.open': [o => Barrier.open(barrier.name, o)],
  'Barrier.openOrCreate': [o => Barrier.openOrCreate(barrier.name, 1, o)],
  'Barrier.whenCreated': [o => Barrier.whenCreated(barrier.name, o)],
  'Barrier.wait': [o => barrier.wait(o)],
  'Barrier.waitSync': [o => barrier.waitSync(o)],
  'Condition.create': [o => Condition.create(null, o)],
  'Condition.openOrCreate': [o => Condition.openOrCreate(condition.name, o)],
  'Condition.whenCreated': [o => Condition.whenCreated(condition.name, o)],
  'Condition.wait': [o => condition.wait(o)],
  'Condition.waitSync': [o => condition.waitSync(o)],
  'Condition.waitFor': [o => condition.waitFor(() => true, o)],
  'Condition.waitForSync': [o => condition.waitForSync(() => true, o)],
  'Event.create': [o => Event.create(null, o)],
  'Event.openOrCreate': [o => Event.openOrCreate(event.name, o)],
  'Event.whenCreated': [o => Event.whenCreated(event.name, o)],
  'Event.wait': [o => event.wait(o)],
  'Event.waitSync': [o => event.waitSync(o)],
  'FileLock.open': [o => FileLock.open(path, o)],
  'FileLock.lock': [o => file.lock(o)],
  'FileLock.lockSync': [o => file.lockSync(o)],
  'FileLock.tryLock': [o => file.tryLock(o)],
  'FileLock.withLock': [o => file.withLock(act, o)],
  'JoinableQueue.create': [o => JoinableQueue.create(null, o)],
  'JoinableQueue.open': [o => JoinableQueue.open(joinable.name, o)],
  'JoinableQueue.openOrCreate': [o => JoinableQueue.openOrCreate(joinable.name, o)],
  'JoinableQueue.whenCreated': [o => JoinableQueue.whenCreated(joinable.name, o)],
  'JoinableQueue.get': [o => joinable.get(o)],
  'JoinableQueue.getSync': [o => joinable.getSync(o)],
  'JoinableQueue.getMany': [o => joinable.getMany(1, o)],
  'JoinableQueue.getManySync': [o => joinable.getManySync(1, o)],
  'JoinableQueue.join': [o => joinable.join(o)],
  'JoinableQueue.joinSync': [o => joinable.joinSync(o)],
  'LockHandle.lock': [o => mutex.lock(o), o => rlock.lock(o), o => condition.lock(o), o => value.lock(o)],
  'LockHandle.lockSync': [o => mutex.lockSync(o), o => rlock.lockSync(o), o => shared.lockSync(o)],
  'LockHandle.withLock': [o => mutex.withLock(act, o), o => rlock.withLock(act, o)],
  'MpmcQueue.create': [o => MpmcQueue.create(null, o)],
  'MpmcQueue.openOrCreate': [o => MpmcQueue.openOrCreate(bytes.name, o)],
  'MpmcQueue.whenCreated': [o => MpmcQueue.whenCreated(bytes.name, o)],
  'MpmcQueue.push': [o => bytes.push(message, o)],
  'MpmcQueue.pushSync': [o => bytes.pushSync(message, o)],
  'MpmcQueue.pushMany': [o => bytes.pushMany([message], o)],
  'MpmcQueue.pushManySync': [o => bytes.pushManySync([message], o)],
  'MpmcQueue.pop': [o => bytes.pop(o)],
  'MpmcQueue.popSync': [o => bytes.popSync(o)],
  'MpmcQueue.popMany': [o => bytes.popMany(1, o)],
  'MpmcQueue.popManySync': [o => bytes.popManySync(1, o)],
  'MpmcQueue.popInto': [o => bytes.popInto(buffer, o)],
  'MpmcQueue.popIntoSync': [o => bytes.popIntoSync(buffer, o)],
  'MpmcQueue.receive': [o => bytes.receive(o)],
  'MpmcQueue.receiveSync': [o => bytes.receiveSync(o)],
  'Mutex.create': [o => Mutex.create(null, o)],
  'Mutex.openOrCreate': [o => Mutex.openOrCreate(mutex.name, o)],
  'Mutex.whenCreated': [o => Mutex.whenCreated(mutex.name, o)],
  'NDArray.create': [o => NDArray.create(null, o)],
  'NDArray.open': [o => NDArray.open(array.name, o)],
  'NDArray.openOrCreate': [o => NDArray.openOrCreate(array.name, o)],
  'NDArray.whenCreated': [o => NDArray.whenCreated(array.name, o)],
  'NDArray.from': [o => NDArray.from(null, [1, 2], o)],
  'NDArray.load': [o => NDArray.load(path, o)],
  'NDArray.loadNpz': [o => NDArray.loadNpz(path, o)],
  'NDArray.saveNpz': [o => NDArray.saveNpz(path, {}, o)],
  'NDArray.update': [o => array.update(act, o)],
  'NDArray.withLock': [o => array.withLock(act, o)],
  'NDArray.snapshot': [o => array.snapshot(o)],
  'Pipe.create': [o => Pipe.create(o)],
  'Pipe.open': [o => Pipe.open({ crossmem: 'Pipe', name: pipe.name, end: 0 }, o)],
  'Pipe.wait': [o => Pipe.wait([pipe], o)],
  'Pipe.send': [o => pipe.send(1, o)],
  'Pipe.sendSync': [o => pipe.sendSync(1, o)],
  'Pipe.sendBytes': [o => pipe.sendBytes(message, o)],
  'Pipe.sendBytesSync': [o => pipe.sendBytesSync(message, o)],
  'Pipe.recv': [o => pipe.recv(o)],
  'Pipe.recvSync': [o => pipe.recvSync(o)],
  'Pipe.recvBytes': [o => pipe.recvBytes(o)],
  'Pipe.recvBytesSync': [o => pipe.recvBytesSync(o)],
  'Pipe.recvBytesInto': [o => pipe.recvBytesInto(buffer, o)],
  'Pipe.recvBytesIntoSync': [o => pipe.recvBytesIntoSync(buffer, o)],
  'PoolCalls.map': [o => pool.map('run', [], o)],
  'PoolCalls.starMap': [o => pool.starMap('run', [], o)],
  'PoolCalls.imap': [o => pool.imap('run', [], o).next()],
  'Process.start': [o => Process.start('data:text/javascript,', o)],
  'Process.join': [o => child.join(o)],
  'Process.terminate': [o => child.terminate(o)],
  'Queue.create': [o => Queue.create(null, o)],
  'Queue.open': [o => Queue.open(queue.name, o)],
  'Queue.openOrCreate': [o => Queue.openOrCreate(queue.name, o)],
  'Queue.whenCreated': [o => Queue.whenCreated(queue.name, o)],
  'RLock.create': [o => RLock.create(null, o)],
  'RLock.openOrCreate': [o => RLock.openOrCreate(rlock.name, o)],
  'RLock.whenCreated': [o => RLock.whenCreated(rlock.name, o)],
  'RecordQueue.create': [o => RecordQueue.create(null, o)],
  'RecordQueue.open': [o => RecordQueue.open(records.name, o)],
  'RecordQueue.openOrCreate': [o => RecordQueue.openOrCreate(records.name, o)],
  'RecordQueue.whenCreated': [o => RecordQueue.whenCreated(records.name, o)],
  'RecordQueue.put': [o => records.put({ id: 1 }, o)],
  'RecordQueue.putSync': [o => records.putSync({ id: 1 }, o)],
  'RecordQueue.putMany': [o => records.putMany([{ id: 1 }], o)],
  'RecordQueue.putManySync': [o => records.putManySync([{ id: 1 }], o)],
  'RecordQueue.get': [o => records.get(o)],
  'RecordQueue.getSync': [o => records.getSync(o)],
  'RecordQueue.getMany': [o => records.getMany(1, o)],
  'RecordQueue.getManySync': [o => records.getManySync(1, o)],
  'RecordQueue.getBatch': [o => records.getBatch(1, o)],
  'RecordQueue.getBatchSync': [o => records.getBatchSync(1, o)],
  'RwLock.create': [o => RwLock.create(null, o)],
  'RwLock.openOrCreate': [o => RwLock.openOrCreate(rwlock.name, o)],
  'RwLock.whenCreated': [o => RwLock.whenCreated(rwlock.name, o)],
  'RwLock.read': [o => rwlock.read(o)],
  'RwLock.readSync': [o => rwlock.readSync(o)],
  'RwLock.withRead': [o => rwlock.withRead(act, o)],
  'RwLock.write': [o => rwlock.write(o)],
  'RwLock.writeSync': [o => rwlock.writeSync(o)],
  'RwLock.withWrite': [o => rwlock.withWrite(act, o)],
  'Semaphore.create': [o => Semaphore.create(null, 1, o)],
  'Semaphore.openOrCreate': [o => Semaphore.openOrCreate(semaphore.name, 1, o)],
  'Semaphore.whenCreated': [o => Semaphore.whenCreated(semaphore.name, o)],
  'Semaphore.acquire': [o => semaphore.acquire(o)],
  'Semaphore.acquireSync': [o => semaphore.acquireSync(o)],
  'Semaphore.withPermit': [o => semaphore.withPermit(act, o)],
  'ShareableList.create': [o => ShareableList.create(null, [1], o)],
  'ShareableList.openOrCreate': [o => ShareableList.openOrCreate(items.name, [1], o)],
  'ShareableList.whenCreated': [o => ShareableList.whenCreated(items.name, o)],
  'SharedArray.create': [o => SharedArray.create(null, 'int32', 2, o)],
  'SharedArray.openOrCreate': [o => SharedArray.openOrCreate(shared.name, 'int32', 2, o)],
  'SharedArray.whenCreated': [o => SharedArray.whenCreated(shared.name, o)],
  'SharedArray.update': [o => shared.update(act, o)],
  'SharedMap.create': [o => SharedMap.create(null, o)],
  'SharedMap.open': [o => SharedMap.open(map.name, o)],
  'SharedMap.openOrCreate': [o => SharedMap.openOrCreate(map.name, o)],
  'SharedMap.whenCreated': [o => SharedMap.whenCreated(map.name, o)],
  'SharedMap.set': [o => map.set('key', 1, o)],
  'SharedMap.delete': [o => map.delete('key', o)],
  'SharedMap.clear': [o => map.clear(o)],
  'SharedMap.update': [o => map.update('key', () => 1, o)],
  'SharedMap.getOrInsert': [o => map.getOrInsert('key', () => 1, o)],
  'SharedMap.watch': [o => map.watch('key', o).next()],
  'SharedMap.entries': [o => map.entries(o)],
  'SharedMap.keys': [o => map.keys(o)],
  'SharedMap.values': [o => map.values(o)],
  'SharedMemory.create': [o => SharedMemory.create(null, 8, o)],
  'SharedMemory.openOrCreate': [o => SharedMemory.openOrCreate(memory.name, 8, o)],
  'SharedMemory.whenCreated': [o => SharedMemory.whenCreated(memory.name, o)],
  'SpscConsumer.pop': [o => consumer.pop(o)],
  'SpscConsumer.popSync': [o => consumer.popSync(o)],
  'SpscConsumer.popMany': [o => consumer.popMany(1, o)],
  'SpscConsumer.popManySync': [o => consumer.popManySync(1, o)],
  'SpscConsumer.popInto': [o => consumer.popInto(buffer, o)],
  'SpscConsumer.popIntoSync': [o => consumer.popIntoSync(buffer, o)],
  'SpscProducer.push': [o => producer.push(message, o)],
  'SpscProducer.pushSync': [o => producer.pushSync(message, o)],
  'SpscProducer.pushMany': [o => producer.pushMany([message], o)],
  'SpscProducer.pushManySync': [o => producer.pushManySync([message], o)],
  'SpscQueue.create': [o => SpscQueue.create(null, o)],
  'SpscQueue.openOrCreate': [o => SpscQueue.openOrCreate(spsc.name, o)],
  'SpscQueue.whenCreated': [o => SpscQueue.whenCreated(spsc.name, o)],
  'Value.create': [o => Value.create(null, 'int32', 0, o)],
  'Value.openOrCreate': [o => Value.openOrCreate(value.name, 'int32', 0, o)],
  'Value.whenCreated': [o => Value.whenCreated(value.name, o)],
  'Value.update': [o => value.update(() => 1, o)],
  'ValueQueue.put': [o => queue.put(1, o), o => joinable.put(1, o)],
  'ValueQueue.putSync': [o => queue.putSync(1, o), o => joinable.putSync(1, o)],
  'ValueQueue.putMany': [o => queue.putMany([1], o)],
  'ValueQueue.putManySync': [o => queue.putManySync([1], o)],
  'ValueQueue.get': [o => queue.get(o)],
  'ValueQueue.getSync': [o => queue.getSync(o)],
  'ValueQueue.getMany': [o => queue.getMany(1, o)],
  'ValueQueue.getManySync': [o => queue.getManySync(1, o)],
  'ValueQueue.receive': [o => queue.receive(o), o => joinable.receive(o)],
  'ValueQueue.receiveSync': [o => queue.receiveSync(o), o => joinable.receiveSync(o)],
}

/** Calls whose options follow another standard: Web IDL ignores members that it doesn't know. */
const others = ['LockManager.request']

/** What the call throws, at once or later. */
async function thrownBy(call: Call, options: unknown): Promise<unknown> {
  try {
    await call(options as never)
    return undefined
  } catch (error) {
    return error
  }
}

test('this file has every call that takes options', t => {
  const taking = publicApi('index', 'map').filter(({ takesOptions }) => takesOptions)
  t.deepEqual(taking.map(({ name }) => name).sort(), [...Object.keys(calls), ...others].sort())
})

const wrong: unknown[] = [
  100,
  'x',
  { timout: 1 },
  null,
  true,
  [],
  ['x'],
  () => undefined,
  new Map([['timeout', 1]]),
  AbortSignal.abort(),
  Promise.resolve({ timeout: 1 }),
  mutex,
]

for (const [name, ways] of Object.entries(calls)) {
  test(`${name} refuses what is no options, and loses nothing`, async t => {
    for (const way of ways)
      for (const options of wrong) {
        const error = (await thrownBy(way, options)) as CrossmemError | undefined
        t.true(error instanceof CrossmemError, `${way} with ${String(options)}: ${error}`)
        t.is(error?.code, 'ERR_INVALID_ARG', error?.message)
        t.regex(error?.message ?? '', /^(options are an object|unknown option ")/)
      }
    const sizes = [queue.size, joinable.size, bytes.size, records.size, consumer.peek()?.length]
    t.deepEqual(sizes, [1, 1, 1, 1, 1])
    t.deepEqual([mutex.isLocked, rlock.isLocked, semaphore.value, barrier.waiting], [false, false, 1, 0])
    t.true(pipe.pollSync() && !otherEnd.pollSync())
  })
}

const messageOf = async (call: Call, options: unknown): Promise<string> =>
  ((await thrownBy(call, options)) as Error).message

test('the message says what to write', async t => {
  const get: Call = o => queue.get(o)
  t.is(await messageOf(get, 100), 'options are an object: write { timeout: 100 }, not 100')
  const { signal } = new AbortController()
  t.regex(await messageOf(get, signal), /^options are an object: write \{ signal \}, not /)
  t.is(await messageOf(get, 'x'), `options are an object with "timeout", "signal" or "unref", not 'x'`)
  t.is(
    await messageOf(o => NDArray.create(null, o), [2, 3]),
    'options are an object: write { shape: [ 2, 3 ] }, not [ 2, 3 ]',
  )
  t.is(
    await messageOf(o => Queue.open(queue.name, o), 'v8'),
    `options are an object: write { codec: 'v8' }, not 'v8'`,
  )
})

test('an unknown option is named, with the nearest one', async t => {
  const get: Call = o => queue.get(o)
  t.is(await messageOf(get, { timout: 1 }), 'unknown option "timout"; did you mean "timeout"?')
  t.is(await messageOf(get, { Timeout: 1 }), 'unknown option "Timeout"; did you mean "timeout"?')
  t.is(
    await messageOf(o => Queue.create(null, o), { message_bytes: 1 }),
    'unknown option "message_bytes"; did you mean "messageBytes"?',
  )
  t.is(
    await messageOf(get, { block: false }),
    'unknown option "block"; this call takes "timeout", "signal" or "unref"',
  )
  t.is(
    await messageOf(o => queue.getSync(o), { signal: undefined, timout: 1 }),
    'unknown option "timout"; did you mean "timeout"?',
  )
  t.is(
    await messageOf(o => queue.getSync(o), { signal: new AbortController().signal }),
    'unknown option "signal"; this call takes "timeout"',
  )
})

test('a value of another type is shown as it is', async t => {
  const get: Call = o => queue.get(o)
  const is = 'is a number of milliseconds from 0 up, not'
  t.is(await messageOf(get, { timeout: '100' }), `timeout ${is} '100'`)
  t.is(await messageOf(get, { timeout: -1 }), `timeout ${is} -1`)
  t.is(await messageOf(get, { timeout: Number.NaN }), `timeout ${is} NaN`)
  t.is(await messageOf(get, { timeout: Object.create(null) }), `timeout ${is} [Object: null prototype] {}`)
  t.is(await messageOf(get, { unref: 1 }), 'unref is true or false, not 1')
  t.is(await messageOf(get, { signal: 'x' }), "signal is an AbortSignal, not 'x'")
  t.is(
    await messageOf(o => Queue.create(null, o), { capacity: '8' }),
    "capacity is a whole number from 1 to 4194304, not '8'",
  )
  t.is(await messageOf(o => pipe.poll(o), { timeout: 1 }), `timeout ${is} { timeout: 1 }`)
})

test('options that are undefined, frozen, inherited or without a prototype are fine', async t => {
  const again = Queue.create<number>(null, { capacity: undefined, codec: undefined })
  t.teardown(() => again.close())
  again.putManySync([1, 2, 3, 4, 5])
  t.is(await again.get(undefined), 1)
  t.is(await again.get({ timeout: undefined, signal: undefined, unref: undefined }), 2)
  t.is(await again.get(Object.freeze({ timeout: 10 })), 3)
  t.is(again.getSync(Object.assign(Object.create(null), { timeout: 10 })), 4)
  t.is(again.getSync(Object.create({ timeout: 10 })), 5)
  await t.throwsAsync(again.get(Object.create({ timeout: 0 })), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(again.get(Object.create({ timout: 0 })), { code: 'ERR_INVALID_ARG' })
})

test('an enumerable property of all objects is no option', async t => {
  Object.defineProperty(Object.prototype, 'added', { value: 1, enumerable: true, configurable: true })
  try {
    await t.throwsAsync(event.wait({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  } finally {
    Reflect.deleteProperty(Object.prototype, 'added')
  }
})

test('request() of named locks ignores members that Web IDL does not know', async t => {
  const options = { mode: 'shared', timout: 1 } as const
  t.is(await locks.request(unique('lock'), options, lock => lock?.mode), 'shared')
  await t.throwsAsync(
    locks.request(unique('lock'), 100 as never, () => 1),
    { instanceOf: TypeError },
  )
})
