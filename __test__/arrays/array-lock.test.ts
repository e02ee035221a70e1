import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import ava from 'ava'
import { NDArray } from 'crossmem'
import type { CountingOrders } from '../fixtures/arrays/count-under-array-lock.js'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { gone, message, start } from '../processes/children.js'
import { hire } from '../processes/hire.js'

const test = ava.serial
const turn = (): Promise<void> => new Promise(setImmediate)

test('withLock and update of several processes exclude each other, and snapshots are never torn', async t => {
  using array = NDArray.create(unique('busy'), { shape: [2], dtype: 'int32' })
  const counters = await Promise.all(
    [1, 2, 3].map(() => hire<CountingOrders>('arrays/count-under-array-lock')),
  )
  let running = counters.length
  const found = counters.map(async counter => {
    const said = await counter.tell({ do: 'count', array: array.toJSON(), times: 300 })
    running--
    return said
  })
  while (running > 0) {
    const [first, second] = array.snapshot()
    t.is(first, second)
    await turn()
  }
  t.deepEqual(await Promise.all(found), new Array(3).fill({ torn: 0 }))
  t.deepEqual([...array.snapshot()], [1800, 1800])
  await Promise.all(counters.map(counter => counter.leave()))
})

test('waiting blocks no event loop, and ends when the other process lets go', async t => {
  using array = NDArray.create(unique('patient'), { shape: [2], dtype: 'int32' })
  const holder = start('arrays/hold-lock-of-data', JSON.stringify(array))
  t.is(await message(holder), 'inside')
  const order: string[] = []
  const waiting = array.withLock((data, { ownerDied }) => {
    order.push('inside')
    return [...data, ownerDied]
  })
  for (let i = 0; i < 10; i++) await turn()
  order.push('told to leave')
  holder.send('left')
  t.is(await message(holder), 'left')
  t.deepEqual(await waiting, [1, 1, false])
  t.deepEqual(order, ['told to leave', 'inside'])
  t.deepEqual([...array.snapshot()], [1, 1])
  await gone(holder)
})

test('a wait fails by timeout, signal or close, and the next ones go on', async t => {
  using array = NDArray.create(unique('vain'), { shape: [2], dtype: 'int32' })
  const other = NDArray.open<'int32'>(array.name)
  const holder = start('arrays/hold-lock-of-data', JSON.stringify(array))
  t.is(await message(holder), 'inside')
  const never = (): void => t.fail()
  const abort = new AbortController()
  const aborted = array.withLock(never, { signal: abort.signal })
  const late = array.withLock(never, { timeout: 1 })
  const closed = [other.withLock(never), other.withLock(never)]
  const patient = array.withLock(data => [...data])
  await t.throwsAsync(late, { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(array.withLock(never, { timeout: 0 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => array.update(never, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => array.snapshot({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  const reason = new RangeError('enough')
  abort.abort(reason)
  t.is(await t.throwsAsync(aborted), reason)
  await t.throwsAsync(array.withLock(never, { signal: abort.signal }), { is: reason })
  other.close()
  for (const wait of closed) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
  holder.send('left')
  t.deepEqual(await patient, [1, 1])
  for (const wrong of [undefined, null, 1] as never[])
    await t.throwsAsync(array.withLock(wrong), { code: 'ERR_INVALID_ARG', message: /is a function/ })
  for (const bad of [{ timeout: -1 }, { signal: {} }, { unref: 1 }]) {
    await t.throwsAsync(array.withLock(never, bad as never), { code: 'ERR_INVALID_ARG' })
  }
  await gone(holder)
})

test('an unref wait lets its process end', async t => {
  using array = NDArray.create(unique('unref'), { shape: [2], dtype: 'int32' })
  await array.withLock(async () => {
    const child = start('arrays/wait-unref-for-array', array.name)
    t.is(await message(child), 'waiting')
    t.is((await gone(child)).code, 0)
  })
})

test('the calls of one thread are served in order, also through several handles', async t => {
  using first = NDArray.create(unique('turns'), { shape: [2], dtype: 'int32' })
  using second = NDArray.open<'int32'>(first.name)
  const order: number[] = []
  let inside = 0
  const enter = (array: NDArray<'int32'>, i: number): Promise<void> =>
    array.withLock(async data => {
      t.is(++inside, 1)
      order.push(i)
      data[0] = i
      await turn()
      t.is(data[0], i)
      inside--
    })
  await Promise.all([0, 1, 2, 3, 4].map(i => enter(first, i)))
  t.deepEqual(order, [0, 1, 2, 3, 4])
  order.length = 0
  await Promise.all([0, 1, 2, 3].flatMap(i => [enter(first, i), enter(second, 10 + i)]))
  t.deepEqual(
    order.filter(i => i < 10),
    [0, 1, 2, 3],
  )
  t.deepEqual(
    order.filter(i => i >= 10),
    [10, 11, 12, 13],
  )
})

test('waits of two handles are served alternately, however many wait', async t => {
  using busy = NDArray.create(unique('fair'), { shape: [1] })
  using other = NDArray.open(busy.name)
  let done = false
  const loop = async (): Promise<void> => {
    while (!done) await busy.withLock(turn)
  }
  const loops = [loop(), loop()]
  for (let i = 0; i < 5; i++) await other.withLock(turn)
  done = true
  await Promise.all(loops)
  t.pass()
})

test('inside, whatever would wait for this thread itself is refused', async t => {
  using array = NDArray.create(unique('inside'), { shape: [2] })
  using other = NDArray.open<'float64'>(array.name)
  let behind: Promise<string> | undefined
  await array.withLock(async data => {
    data[0] = 1
    await turn()
    for (const handle of [array, other]) {
      t.throws(() => handle.update(() => 1), { code: 'ERR_DEADLOCK' })
      t.throws(() => handle.snapshot(), { code: 'ERR_DEADLOCK' })
      await t.throwsAsync(handle.save('/dev/null'), { code: 'ERR_DEADLOCK' })
      await t.throwsAsync(
        handle.withLock(() => 1, { timeout: 1 }),
        { code: 'ERR_TIMEOUT' },
      )
    }
    t.throws(() => array.close(), { code: 'ERR_DEADLOCK' })
    behind = other.withLock(() => 'behind')
    t.is(array.data[0], 1)
  })
  t.is(await behind, 'behind')
  let after: Promise<string> | undefined
  array.update(() => {
    after = array.withLock(() => 'after')
  })
  t.is(await after, 'after')
  array.close()
  await t.throwsAsync(
    array.withLock(() => 1),
    { code: 'ERR_CLOSED' },
  )
  t.is(
    other.update(() => 1),
    1,
  )
})

test('results and exceptions pass through, and nothing stays locked', async t => {
  using array = NDArray.create(unique('results'), { shape: [2] })
  t.is(await array.withLock(data => data.length), 2)
  t.is(await array.withLock(async () => 'later'), 'later')
  const fail = async (): Promise<never> => {
    array.data[0] = 7
    await turn()
    throw new RangeError('mine')
  }
  await t.throwsAsync(array.withLock(fail), { instanceOf: RangeError, message: 'mine' })
  t.deepEqual([...array.snapshot()], [7, 0], 'what it did until then stays')
  t.false(array.update((_, { ownerDied }) => ownerDied))
})

for (const whoWaits of ['nobody', 'somebody'] as const) {
  test(`a process that is killed inside while ${whoWaits} waits is reported, and repaired once`, async t => {
    using array = NDArray.create(unique('killed'), { shape: [2], dtype: 'int32' })
    const holder = start('arrays/hold-lock-of-data', JSON.stringify(array))
    t.is(await message(holder), 'inside')
    const fail = (_: unknown, { ownerDied }: { ownerDied: boolean }): never => {
      t.true(ownerDied)
      throw new RangeError('no repair')
    }
    const waiting = whoWaits === 'somebody' ? array.withLock(fail) : undefined
    holder.kill('SIGKILL')
    if (!waiting) await gone(holder)
    await t.throwsAsync(waiting ?? array.withLock(fail), { instanceOf: RangeError })
    t.throws(() => array.snapshot(), { code: 'ERR_PEER_DIED' })
    t.deepEqual([...array.data], [1, 0])
    t.throws(() => array.update((async () => 1) as never), { code: 'ERR_INVALID_ARG' })
    t.throws(() => array.snapshot(), { code: 'ERR_PEER_DIED' }, 'nor is that a repair')
    await array.withLock(async (data, { ownerDied }) => {
      t.true(ownerDied)
      await turn()
      data.fill(4)
    })
    t.deepEqual([...array.snapshot()], [4, 4])
    await array.withLock((_, { ownerDied }) => t.false(ownerDied))
  })
}

test('worker.terminate() inside counts as a death inside', async t => {
  using array = NDArray.create(unique('terminated'), { shape: [2], dtype: 'int32' })
  const worker = new Worker(fixture('arrays/hold-lock-of-data'), {
    argv: [JSON.stringify(array)],
  })
  t.deepEqual(await once(worker, 'message'), ['inside'])
  const waiting = array.withLock((_, { ownerDied }) => ownerDied)
  await worker.terminate()
  t.true(await waiting)
  t.deepEqual([...array.snapshot()], [1, 0])
})

if (process.platform === 'linux') {
  test('an array that another program made has no lock', async t => {
    using made = NDArray.from(null, [1, 2, 3])
    const name = unique('foreign')
    const header = new Uint8Array(made.buffer, 0, made.data.byteOffset)
    writeFileSync(`/dev/shm/${name}`, Buffer.concat([header, new Uint8Array(made.data.slice().buffer)]))
    t.teardown(() => rmSync(`/dev/shm/${name}`, { force: true }))
    using array = NDArray.open(name)
    await t.throwsAsync(
      array.withLock(() => 1),
      { code: 'ERR_UNSUPPORTED' },
    )
  })
}
