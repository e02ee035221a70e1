import ava from 'ava'
import { list, type NumericDType, open, type Reference, SharedArray, Value } from 'crossmem'
import type { CountingOrders } from '../fixtures/arrays/count-under-array-lock.js'
import type { ChangingOrders } from '../fixtures/arrays/read-and-change-data.js'
import { unique } from '../helpers/domain.js'
import { fromText, samples, toText } from '../helpers/scalars.js'
import { scribble } from '../helpers/scribble.js'
import { gone, message, start } from '../processes/children.js'
import { hire } from '../processes/hire.js'

const test = ava.serial
const dtypes = Object.keys(samples) as NumericDType[]

test('every dtype is the same array in another process, both ways', async t => {
  const other = await hire<ChangingOrders>('arrays/read-and-change-data')
  for (const dtype of dtypes) {
    const [first, second] = samples[dtype]
    using array = SharedArray.create(unique('array'), dtype, [first, second, first] as never)
    const order = { reference: array.toJSON(), store: toText(second) }
    const { dtype: theirs, found } = await other.tell({ do: 'change', ...order })
    t.is(theirs, dtype)
    t.deepEqual(fromText(found), [first, second, first], dtype)
    t.deepEqual<unknown, unknown>(array.toArray(), [second, second, second], dtype)
  }
  await other.kill()
})

// After Lib/test/_test_multiprocessing.py, class _TestArray.
for (const lock of [true, false]) {
  test(`Python's test of arrays, ${lock ? 'with' : 'without'} a lock`, async t => {
    const sequence = [680, 626, 934, 821, 150, 233, 548, 982, 714, 831]
    using array = SharedArray.create(unique('python'), 'int32', sequence, { lock })
    t.is(array.length, sequence.length)
    t.is(array.at(3), sequence[3])
    t.deepEqual([...array.data.slice(2, 7)], sequence.slice(2, 7))
    array.data.set([1, 2, 3, 4], 4)
    sequence.splice(4, 4, 1, 2, 3, 4)
    t.deepEqual(array.toArray(), sequence)
    t.is((await gone(start('arrays/sum-up', array.name))).code, 0)
    let sum = 0
    t.deepEqual(
      [...array],
      sequence.map(element => (sum += element)),
    )
    t.is(array.hasLock, lock)
  })
}

test('an array of a size is all zeros, whatever was there before', t => {
  const size = 10
  for (let i = 0; i < 3; i++) {
    using array = SharedArray.create(unique('sized'), 'int32', size)
    t.deepEqual(array.toArray(), new Array(size).fill(0))
    array.data.set(Array.from({ length: size }, (_, j) => j))
    t.deepEqual(array.toArray(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  }
})

test('create takes sizes, arrays, iterables and typed arrays', t => {
  const made = (dtype: NumericDType, source: unknown): unknown => {
    using array = SharedArray.create(null, dtype, source as never)
    return array.toArray()
  }
  t.deepEqual(made('int8', new Set([1, 2, 300])), [1, 2, 44])
  t.deepEqual(made('int8', { length: 2, 0: 5, 1: 6 }), [5, 6])
  t.deepEqual(made('float32', Float32Array.of(0.5, 2).subarray(1)), [2])
  t.deepEqual(made('float64', Int32Array.of(1, -2)), [1, -2])
  t.deepEqual(made('uint8', Buffer.from('ab')), [97, 98])
  t.deepEqual(made('uint8', new Uint8Array(new SharedArrayBuffer(2)).fill(3)), [3, 3])
  t.deepEqual(made('bool', Uint8Array.of(1, 0)), [true, false])
  t.deepEqual(made('int64', Int16Array.of(1, -2)), [1n, -2n])
  t.deepEqual(made('float16', [0.5, 1]), [0.5, 1])
  t.deepEqual(made('complex64', [1, [2, 3]]), [
    [1, 0],
    [2, 3],
  ])
  t.deepEqual(made('int32', 0), [])
  t.deepEqual(made('int32', []), [])
  using source = SharedArray.create(null, 'int32', [1, 2])
  t.deepEqual(made('uint16', source), [1, 2])
})

test('elements by index, as arrays have them', t => {
  using array = SharedArray.create(null, 'int16', [1, 2, 3])
  for (const index of [0, 2, -1, -3, 3, -4, 1.9, -1.9, Number.NaN, Number.POSITIVE_INFINITY]) {
    t.is(array.at(index), [1, 2, 3].at(index), String(index))
  }
  t.is(array.set(0, 65536 + 7).set(-1, 9), array)
  t.deepEqual(array.toArray(), [7, 2, 9])
  for (const index of [3, -4, 0.5, Number.NaN, Number.POSITIVE_INFINITY, '0', null, undefined]) {
    t.throws(() => array.set(index as never, 1), { code: 'ERR_OUT_OF_RANGE' }, String(index))
  }
  t.throws(() => array.set(0, 'x' as never), { code: 'ERR_INVALID_ARG' })
  t.deepEqual(array.toArray(), [7, 2, 9])
})

test('every atomic operation changes its element alone, and gives the old value', t => {
  for (const dtype of dtypes.filter(name => /^u?int/.test(name))) {
    const of = (n: number): unknown => (dtype.endsWith('64') ? BigInt(n) : n)
    using array = SharedArray.create(null, dtype, [1, 12, 3] as never)
    const steps: [old: number, now: number, op: () => unknown][] = [
      [12, 15, () => array.add(1, 3)],
      [15, 14, () => array.sub(-2, 1)],
      [14, 10, () => array.and(1, 0b1011)],
      [10, 11, () => array.or(1, 1)],
      [11, 8, () => array.xor(1, 3)],
      [8, 20, () => array.exchange(1, 20)],
      [20, 20, () => array.compareExchange(1, 19, 5)],
      [20, 5, () => array.compareExchange(1, 20, 5)],
    ]
    for (const [old, now, op] of steps) {
      t.is(op(), of(old), `${dtype}: ${op}`)
      t.deepEqual<unknown, unknown>(array.toArray(), [of(1), of(now), of(3)], `${dtype} after ${op}`)
      t.is<unknown, unknown>(array.get(1), of(now))
    }
  }
  for (const dtype of ['float16', 'float32', 'float64'] as const) {
    using array = SharedArray.create(null, dtype, [0.5, Number.NaN])
    t.is(array.add(0, 1), 0.5)
    t.is(array.sub(0, 3), 1.5)
    t.is(array.compareExchange(-1, Number.NaN, -0), Number.NaN)
    t.deepEqual(array.toArray(), [-1.5, -0])
    t.throws(() => array.and(0, 1), { code: 'ERR_UNSUPPORTED' })
  }
  using flags = SharedArray.create(null, 'bool', [true, false])
  t.is(flags.xor(1, true), false)
  t.true(flags.get(1))
  t.throws(() => flags.add(0, true), { code: 'ERR_UNSUPPORTED' })
})

test('an atomic operation of what has none, or is not there, is refused', t => {
  using array = SharedArray.create(null, 'int32', 3)
  using complex = SharedArray.create(null, 'complex64', 3)
  using none = SharedArray.create(null, 'int32', 0)
  const operations = ['get', 'add', 'sub', 'and', 'or', 'xor', 'exchange', 'compareExchange'] as const
  const call = (of: SharedArray, operation: (typeof operations)[number], ...rest: unknown[]) =>
    (of[operation] as (...all: unknown[]) => unknown).call(of, ...rest)
  for (const operation of operations) {
    for (const index of [3, -4, 1.5, Number.NaN, '0', undefined, 2 ** 32])
      t.throws(() => call(array as never, operation, index, 1, 1), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => call(none as never, operation, 0, 1, 1), { code: 'ERR_OUT_OF_RANGE' })
    t.throws(() => call(complex as never, operation, 0, 1, 1), { code: 'ERR_UNSUPPORTED' })
    if (operation !== 'get')
      t.throws(() => call(array as never, operation, 0, 'x', 'x'), { code: 'ERR_INVALID_ARG' })
  }
  t.deepEqual(array.toArray(), [0, 0, 0])
  const closed = SharedArray.create(null, 'int32', 3)
  closed.add(0, 1)
  closed.close()
  for (const operation of operations)
    t.throws(() => call(closed as never, operation, 0, 1, 1), { code: 'ERR_CLOSED' })
})

test('data is a plain built-in typed array on the shared memory', t => {
  using array = SharedArray.create(unique('plain'), 'float64', 5)
  using again = SharedArray.open<'float64'>(array.name)
  t.is(Object.getPrototypeOf(array.data), Float64Array.prototype)
  t.is(array.data, array.data)
  t.is(array.data.length, 5)
  t.is(array.data.byteOffset % 64, 0)
  again.data[4] = 2.5
  t.is(array.at(-1), 2.5)
  using complex = SharedArray.create(null, 'complex128', 3)
  t.deepEqual([complex.length, complex.data.length], [3, 6])
})

test('arguments that make no array are refused', t => {
  const name = unique('refused')
  for (const source of [undefined, null, -1, 1.5, Number.NaN, 2 ** 60, 'abc', {}, true, 5n]) {
    t.throws(
      () => SharedArray.create(name, 'int32', source as never),
      { code: 'ERR_INVALID_ARG' },
      String(source),
    )
  }
  t.throws(() => SharedArray.create(name, 'int32', [1, 'x'] as never), { code: 'ERR_INVALID_ARG' })
  t.throws(() => SharedArray.create(name, 'c' as never, 1), { code: 'ERR_INVALID_ARG' })
  t.throws(() => SharedArray.create(name, 'int32', 1, { lock: null as never, persist: 0 as never }), {
    code: 'ERR_INVALID_ARG',
  })
  t.throws(() => SharedArray.create(name, 'int8', 2 ** 46), { code: 'ERR_NO_SPACE' })
  t.throws(() => new (SharedArray as unknown as new () => SharedArray)(), { code: 'ERR_INVALID_ARG' })
  t.false(list().some(object => object.name === name))
  using value = Value.create(unique('value'), 'int32')
  t.throws(() => SharedArray.open(value.name), { code: 'ERR_WRONG_KIND' })
})

test('openOrCreate makes it once, and refuses another dtype, length or lock', t => {
  const name = unique('both')
  using first = SharedArray.openOrCreate(name, 'int16', [1, 2])
  using second = SharedArray.openOrCreate(name, 'int16', 2)
  t.deepEqual(second.toArray(), [1, 2])
  t.throws(() => SharedArray.openOrCreate(name, 'int16', 3), { code: 'ERR_INVALID_ARG' })
  t.throws(() => SharedArray.openOrCreate(name, 'uint16', 2), { code: 'ERR_INVALID_ARG' })
  t.throws(() => SharedArray.openOrCreate(name, 'int16', 2, { lock: false }), { code: 'ERR_INVALID_ARG' })
  t.deepEqual(first.toArray(), [1, 2])
})

test('an array travels as a reference', t => {
  using array = SharedArray.create(unique('travels'), 'uint8', [1, 2])
  for (const arrived of [JSON.parse(JSON.stringify(array)), structuredClone(array), array.name]) {
    using opened = open(arrived as Reference)
    t.true(opened instanceof SharedArray)
    if (opened instanceof SharedArray) t.deepEqual<unknown, unknown>(opened.toArray(), [1, 2])
  }
})

test('of several processes only the holder of the lock is inside', async t => {
  using array = SharedArray.create(unique('busy'), 'int32', 2)
  const counters = await Promise.all(
    [1, 2, 3].map(() => hire<CountingOrders>('arrays/count-under-array-lock')),
  )
  const order = { do: 'count', array: array.toJSON(), times: 300 } as const
  const found = await Promise.all(counters.map(counter => counter.tell(order)))
  t.deepEqual(found, new Array(3).fill({ torn: 0 }))
  t.deepEqual(array.toArray(), [1800, 1800])
  await Promise.all(counters.map(counter => counter.leave()))
})

test('a holder that is killed is reported to the one that waits', async t => {
  using array = SharedArray.create(unique('killed'), 'int32', 2)
  const holder = start('arrays/hold-lock-of-data', JSON.stringify(array))
  t.is(await message(holder), 'inside')
  t.throws(() => array.update(() => 1, { timeout: 0 }), { code: 'ERR_TIMEOUT' })
  const waiting = array.withLock(guard => {
    t.true(guard.ownerDied)
    return array.toArray()
  })
  holder.kill('SIGKILL')
  t.deepEqual(await waiting, [1, 0])
  t.is(
    array.update((data, { ownerDied }) => {
      data.fill(Number(ownerDied))
      return 'repaired'
    }),
    'repaired',
  )
  t.deepEqual(array.toArray(), [1, 1])
  t.false(array.update((_, { ownerDied }) => ownerDied))
})

test('with lock: false there is data and no lock', async t => {
  using array = SharedArray.create(null, 'int32', 2, { lock: false })
  array.set(1, 5)
  t.deepEqual(array.toArray(), [0, 5])
  t.throws(() => array.update(() => 1), { code: 'ERR_UNSUPPORTED' })
  t.throws(() => array.lockSync(), { code: 'ERR_UNSUPPORTED' })
  t.throws(() => array.tryLock(), { code: 'ERR_UNSUPPORTED' })
  await t.throwsAsync(
    array.withLock(() => 1),
    { code: 'ERR_UNSUPPORTED' },
  )
})

test('update refuses functions that would return late', t => {
  using array = SharedArray.create(null, 'int32', 2)
  for (const wrong of [undefined, null, 1] as never[])
    t.throws(() => array.update(wrong), { code: 'ERR_INVALID_ARG', message: /is a function/ })
  t.throws(() => array.update(async () => 1), { code: 'ERR_INVALID_ARG' })
  t.throws(() => array.update(() => array.update(() => 1)), { code: 'ERR_DEADLOCK' })
  t.false(array.isLocked)
})

test('close empties data, and everything else says so', async t => {
  const array = SharedArray.create(unique('closed'), 'int32', [1, 2])
  const { data } = array
  const elements = array[Symbol.iterator]()
  t.is(elements.next().value, 1)
  array.close()
  array.close()
  t.is(data.length, 0)
  const uses = [
    () => array.data,
    () => array.at(0),
    () => array.at(9),
    () => array.set(0, 1),
    () => [...array],
    () => elements.next(),
    () => array.toArray(),
    () => array.update(() => 1),
    () => array.lockSync(),
    () => array.unlink(),
  ]
  for (const use of uses) t.throws(use, { code: 'ERR_CLOSED' }, String(use))
  await t.throwsAsync(array.lock(), { code: 'ERR_CLOSED' })
  t.is(array.length, 2)
  const empty = SharedArray.create(null, 'int32', 0)
  empty.close()
  t.throws(() => empty.toArray(), { code: 'ERR_CLOSED' })
})

if (process.platform === 'linux') {
  test('an overwritten header is refused', t => {
    using array = SharedArray.create(unique('scribbled'), 'int32', 4)
    for (const length of [3, 5, 0]) {
      scribble(array.name, 32, length)
      t.throws(() => SharedArray.open(array.name), { code: 'ERR_CORRUPT' })
    }
    scribble(array.name, 32, 4)
    SharedArray.open(array.name).close()
    t.deepEqual(array.toArray(), [0, 0, 0, 0])
  })
}
