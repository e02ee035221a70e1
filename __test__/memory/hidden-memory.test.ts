import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import ava, { type ExecutionContext } from 'ava'
import {
  Barrier,
  Condition,
  Event,
  JoinableQueue,
  list,
  MpmcQueue,
  Mutex,
  NDArray,
  Pipe,
  Queue,
  RecordQueue,
  RLock,
  RwLock,
  Semaphore,
  SharedArray,
  SharedMemory,
  SpscQueue,
  Value,
} from 'crossmem'
import { unique } from '../helpers/domain.js'
import { folder } from '../helpers/folder.js'
import { root } from '../helpers/paths.js'
import { gone, start } from '../processes/children.js'
import { type Distant, type Peer, startPeer } from '../processes/peers.js'

// A runtime that refuses external buffers, as Electron does: Node with a library before it.

const source = join(root, '__test__', 'fixtures', 'memory', 'refuse-external-buffers.c')
const isGlibc = 'glibcVersionRuntime' in (process.report.getReport() as { header: object }).header
const hasCompiler = process.platform === 'linux' && isGlibc && spawnSync('cc', ['--version']).status === 0
const test = hasCompiler ? ava.serial : ava.serial.skip
const code = 'ERR_NO_EXTERNAL_BUFFERS'

/** Starts processes that get the library, while `start` runs. */
async function hidden<T>(t: ExecutionContext, start: () => T | Promise<T>): Promise<T> {
  const library = join(folder(t), 'refuse.so')
  const { stderr } = spawnSync('cc', ['-shared', '-fPIC', '-o', library, source, '-ldl'], {
    encoding: 'utf8',
  })
  t.is(stderr, '')
  process.env.LD_PRELOAD = library
  try {
    return await start()
  } finally {
    delete process.env.LD_PRELOAD
  }
}

const peerOf = (t: ExecutionContext): Promise<Peer> => hidden(t, () => startPeer(t, 'process'))

/** Changes an array in such a process, by `change-array`. */
async function change(
  t: ExecutionContext,
  array: NDArray | SharedArray,
  call: string,
  end = '',
): Promise<void> {
  const child = await hidden(t, () => start('memory/change-array', array.crossmem, array.name, call, end))
  const { code, signal } = await gone(child)
  t.deepEqual([code, signal], end === 'die' ? [null, 'SIGKILL'] : [0, null])
}

/** What shows memory there is refused, in words that say what to do. */
async function isRefused(
  t: ExecutionContext,
  there: Distant,
  ...calls: [string, ...unknown[]][]
): Promise<void> {
  for (const [call, ...args] of calls)
    await t.throwsAsync(there.do(call, ...args), { code, message: /read\(\), write\(\)/ }, call)
}

test('bytes that the runtime can’t show are read and written by copies', async t => {
  const peer = await peerOf(t)
  using memory = SharedMemory.create(null, 16)
  const there = await peer.open(memory)
  await isRefused(t, there, ['buffer'], ['bytes'])
  memory.bytes.set([1, 2, 3, 4], 3)
  t.deepEqual(await there.do('read', 4, new Uint8Array(4)), Uint8Array.of(2, 3, 4, 0))
  await there.do('write', 13, Uint8Array.of(7, 8, 9))
  t.deepEqual([...memory.bytes.subarray(12)], [0, 7, 8, 9])
  await t.throwsAsync(there.do('write', 14, Uint8Array.of(7, 8, 9)), { code: 'ERR_OUT_OF_RANGE' })
  await t.throwsAsync(there.do('read', 0.5, new Uint8Array(1)), { code: 'ERR_INVALID_ARG' })
  await t.throwsAsync(there.do('read', 0, 'text'), { code: 'ERR_INVALID_ARG' })
  const made = await peer.it('crossmem.SharedMemory').take('create', null, 5)
  using back = SharedMemory.open(await made.do('name'))
  await made.do('write', 0, Uint8Array.of(1, 2, 3, 4, 5))
  t.deepEqual([...back.bytes], [1, 2, 3, 4, 5])
  await made.do('close')
  await t.throwsAsync(made.do('read', 0, new Uint8Array(1)), { code: 'ERR_CLOSED' })
})

test('an array that the runtime can’t show is read, written, updated and copied', async t => {
  const peer = await peerOf(t)
  using array = NDArray.create(null, { shape: [2, 3], dtype: 'uint8', fill: 1 })
  const there = await peer.open(array)
  await isRefused(t, there, ['data'], ['buffer'], ['get', 0, 0], ['set', 0, 0, 1], ['fill', 2], ['toNested'])
  t.deepEqual(await there.do('shape'), [2, 3])
  await there.do('write', 4, Uint8Array.of(5, 6))
  t.deepEqual(array.toNested(), [
    [1, 1, 1],
    [1, 5, 6],
  ])
  array.set(0, 2, 3)
  t.deepEqual(await there.do('read', 2, new Uint8Array(3)), Uint8Array.of(3, 1, 5))
  t.deepEqual(await there.do('snapshot'), Uint8Array.of(1, 1, 3, 1, 5, 6))
  await t.throwsAsync(there.do('write', 5, Uint8Array.of(5, 6)), { code: 'ERR_OUT_OF_RANGE' })

  const file = join(folder(t), 'array.npy')
  await there.do('save', file)
  using loaded = await NDArray.load(file)
  t.deepEqual(loaded.toNested(), array.toNested())
})

for (const call of ['update', 'withLock']) {
  test(`a change by ${call} where the runtime shows no memory is whole, and its death is told`, async t => {
    using array = NDArray.create(null, { shape: 3, dtype: 'float64', fill: 1 })
    await change(t, array, call)
    t.deepEqual([...array.snapshot()], [7, 1, 9])
    array.fill(1)
    await change(t, array, call, 'throw')
    t.deepEqual([...array.snapshot()], [7, 1, 9], 'what was changed stays')
    array.fill(1)
    await change(t, array, call, 'die')
    t.throws(() => array.snapshot(), { code: 'ERR_PEER_DIED' })
    await change(t, array, call)
    t.deepEqual([...array.snapshot()], [99, 1, 9], 'the next one was told')
  })
}

test('a SharedArray that the runtime can’t show works by calls, but for data', async t => {
  const peer = await peerOf(t)
  using array = SharedArray.create(null, 'int16', [1, -2, 3])
  const there = await peer.open(array)
  await isRefused(t, there, ['data'])
  t.deepEqual(await there.do('toArray'), [1, -2, 3])
  await there.do('set', -1, 70_000)
  t.is(array.at(2), 4464)
  t.deepEqual([await there.do('at', 1), await there.do('get', 1), await there.do('add', 1, 5)], [-2, -2, -2])
  t.is(array.get(1), 3)
  using complex = SharedArray.create(null, 'complex64', 2)
  const distant = await peer.open(complex)
  await distant.do('set', 1, [1.5, -2])
  t.deepEqual(await distant.do('at', 1), [1.5, -2])
  await change(t, array, 'update')
  t.deepEqual(array.toArray(), [7, 3, 9])
  await change(t, array, 'update', 'die')
  await change(t, array, 'update')
  t.deepEqual(array.toArray(), [99, 3, 9])
})

for (const dtype of ['bool', 'int8', 'uint16', 'int32', 'float16', 'float32', 'float64'] as const) {
  test(`a Value of ${dtype} works by calls where the runtime shows no memory`, async t => {
    const peer = await peerOf(t)
    using value = Value.create(null, dtype, 1 as never)
    const there = await peer.open(value)
    const truth = (n: number): unknown => (dtype === 'bool' ? n !== 0 : n)
    t.is(await there.do('get'), truth(1))
    await there.do('set', 0)
    t.is(value.get() as unknown, truth(0))
    t.is(await there.do('exchange', 1), truth(0))
    t.is(await there.do('compareExchange', 0, 1), truth(1))
    t.is(await there.do('compareExchange', 1, 0), truth(1))
    t.is(value.get() as unknown, truth(0))
    if (dtype === 'bool') return
    await there.do('set', 100)
    t.is(await there.do('add', 27), 100)
    t.is(await there.do('sub', 7), 127)
    t.is(Number(value.get()), 120)
    if (dtype.startsWith('float')) return
    t.is(await there.do('and', 0b1010), 120)
    t.is(await there.do('or', 0b0001), 0b1000)
    t.is(await there.do('xor', 0b1111), 0b1001)
    t.is(Number(value.get()), 0b0110)
  })
}

test('calls on a Value lose no step to those of a process that sees the memory', async t => {
  const peer = await peerOf(t)
  using total = Value.create(null, 'uint32', 2 ** 32 - 5)
  const there = await peer.open(total)
  for (let i = 0; i < 200; i++) {
    const step = there.do('add', 1)
    for (let j = 0; j < 50; j++) total.add(1)
    await step
  }
  t.is(total.get(), 200 * 51 - 5, 'and it wraps')
})

test('locks work where the runtime shows no memory, also after a death', async t => {
  for (const Lock of [Mutex, RLock]) {
    const peer = await peerOf(t)
    using lock = Lock.create(null)
    const there = await peer.open(lock)
    const guard = await there.take('lockSync')
    t.is(lock.tryLock(), undefined)
    await guard.do('release')
    const mine = lock.lockSync()
    const waits = await there.begin<Distant>('lock')
    mine.release()
    await waits.result
    await peer.kill()
    const next = await lock.lock()
    t.true(next.ownerDied, Lock.name)
    next.markConsistent()
    next.release()
  }
  const peer = await peerOf(t)
  using rw = RwLock.create(null)
  using permits = Semaphore.create(null, 1)
  using ready = Event.create(null)
  using condition = Condition.create(null)
  using barrier = Barrier.create(null, 2)
  const reader = await (await peer.open(rw)).take('read')
  t.is(rw.tryWrite(), undefined)
  await reader.do('release')
  await (await peer.open(permits)).take('acquire')
  t.is(permits.tryAcquire(), undefined)
  const wait = await (await peer.open(ready)).begin('wait')
  ready.set()
  await wait.result
  const held = await (await peer.open(condition)).take('lock')
  t.is(condition.tryLock(), undefined)
  await held.do('release')
  const met = (await peer.open(barrier)).do('wait')
  await barrier.wait()
  await met
  await peer.kill()
  ;(await permits.acquire()).release()
})

test('queues and pipes work where the runtime shows no memory, but for what shows it', async t => {
  const peer = await peerOf(t)
  for (const Class of [Queue, JoinableQueue]) {
    using queue = Class.create(null)
    const there = await peer.open(queue)
    await there.do('put', { n: 1, bytes: 'x'.repeat(20_000) })
    t.deepEqual(await queue.get(), { n: 1, bytes: 'x'.repeat(20_000) })
    const wait = await there.begin('get')
    await queue.put([1, 2])
    t.deepEqual(await wait.result, [1, 2])
  }
  using mpmc = MpmcQueue.create(null)
  const bytes = await peer.open(mpmc)
  await bytes.do('push', Uint8Array.of(1, 2))
  t.deepEqual(mpmc.tryPop(), Uint8Array.of(1, 2))
  for (const length of [1, 4000, 100_000]) {
    const message = new Uint8Array(length).fill(3)
    mpmc.pushSync(message)
    t.deepEqual(await bytes.do('popSync'), message)
    await bytes.do('push', message)
    t.deepEqual(mpmc.tryPop(), message)
  }
  await isRefused(t, bytes, ['reserve', 4], ['peek'])
  await bytes.do('push', Uint8Array.of(4))
  t.deepEqual(mpmc.tryPop(), Uint8Array.of(4), 'nothing is left of the reservation')

  using spsc = SpscQueue.create(null, { capacity: 400_000 })
  const producer = await (await peer.open(spsc)).take('openProducer')
  for (let i = 0; i < 100; i++) await producer.do('push', Uint8Array.of(i))
  await isRefused(t, producer, ['reserve', 4])
  await producer.do('push', new Uint8Array(70_000).fill(1))
  using consumer = spsc.openConsumer()
  for (let i = 0; i < 100; i++) t.deepEqual(consumer.popSync(), Uint8Array.of(i))
  t.deepEqual(consumer.popSync(), new Uint8Array(70_000).fill(1))

  const [mine, yours] = Pipe.create()
  const end = await peer.open(yours)
  await end.do('send', 'hello')
  t.is(await mine.recv(), 'hello')
  await mine.sendBytes(Uint8Array.of(5))
  t.deepEqual(await end.do('recvBytes'), Uint8Array.of(5))
  mine.close()
})

test('a RecordQueue is refused where the runtime shows no memory, and nothing of it is left', async t => {
  const peer = await peerOf(t)
  const name = unique('records')
  const made = peer.it('crossmem.RecordQueue').take('create', name, { dtype: [['id', 'int32']] })
  await t.throwsAsync(made, { code })
  t.deepEqual(
    list().filter(object => object.name === name),
    [],
  )
  using queue = RecordQueue.create(name, { dtype: [['id', 'int32']] })
  await t.throwsAsync(peer.open(queue), { code })
})
