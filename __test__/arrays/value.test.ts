import ava from 'ava'
import {
  list,
  Mutex,
  NDArray,
  type NumericDType,
  open,
  type Reference,
  SharedArray,
  SharedMemory,
  Value,
} from 'crossmem'
import type { LoopOrders, Way } from '../fixtures/arrays/change-value-in-a-loop.js'
import type { ChangingOrders } from '../fixtures/arrays/read-and-change-data.js'
import { unique } from '../helpers/domain.js'
import { fromText, samples, toText } from '../helpers/scalars.js'
import { scribble } from '../helpers/scribble.js'
import { gone, message, start } from '../processes/children.js'
import { hire, type Place } from '../processes/hire.js'

const test = ava.serial
const dtypes = (Object.keys(samples) as NumericDType[]).filter(dtype => !dtype.startsWith('complex'))
const integers = dtypes.filter(dtype => dtype.includes('int'))
const floats = dtypes.filter(dtype => dtype.startsWith('float'))

test('every dtype is the same number in another process, both ways', async t => {
  const other = await hire<ChangingOrders>('arrays/read-and-change-data')
  for (const dtype of dtypes) {
    const [first, second] = samples[dtype]
    using value = Value.create(unique('value'), dtype, first as never)
    const order = { reference: value.toJSON(), store: toText(second) }
    const { dtype: theirs, found } = await other.tell({ do: 'change', ...order })
    t.is(theirs, dtype)
    t.deepEqual(fromText(found), first, dtype)
    t.deepEqual(value.value, second as never, dtype)
  }
  await other.kill()
})

/** Four processes, or threads, change a value 25,000 times each. */
async function contend(value: Value | SharedArray, way: Way, as: Place = 'process'): Promise<void> {
  const all = await Promise.all(
    [1, 2, 3, 4].map(() => hire<LoopOrders>('arrays/change-value-in-a-loop', { as })),
  )
  const order = { do: 'change', reference: value.toJSON(), times: 25_000, way } as const
  await Promise.all(all.map(hired => hired.tell(order)))
  await Promise.all(all.map(hired => hired.leave()))
}

for (const [dtype, way, initial, final] of [
  ['int32', 'add', 0, 100_000],
  ['int64', 'add', 2n ** 62n, 2n ** 62n + 100_000n],
  ['float64', 'add', 0.5, 100_000.5],
  ['uint8', 'add', 0, 100_000 % 256],
  ['uint64', 'sub', 0n, 2n ** 64n - 100_000n],
  ['int16', 'sub', 0, (-100_000 << 16) >> 16],
  ['float32', 'sub', 0, -100_000],
  ['bool', 'xor', true, true],
  ['float64', 'compareExchange', 0, 100_000],
  ['uint16', 'compareExchange', 0, 100_000 % 65536],
  ['int32', 'update', 0, 100_000],
  ['uint8', 'update', 0, 100_000 % 256],
  ['int64', 'update', 0n, 100_000n],
] as const) {
  test(`no ${way} of an ${dtype} is lost between four processes`, async t => {
    using value = Value.create(unique('busy'), dtype, initial as never)
    await contend(value as unknown as Value, way)
    t.is<unknown, unknown>(value.value, final)
  })
}

for (const [dtype, way, initial, final] of [
  ['int32', 'add', 0, 100_000],
  ['float64', 'add', 0.5, 100_000.5],
  ['uint64', 'sub', 0n, 2n ** 64n - 100_000n],
  ['bool', 'xor', true, true],
  ['uint16', 'compareExchange', 0, 100_000 % 65536],
] as const) {
  test(`no ${way} of an element of ${dtype} is lost, whatever happens to its neighbours`, async t => {
    using array = SharedArray.create(unique('busy'), dtype, [initial, initial, initial] as never)
    let isDone = false
    const changing = contend(array, way).then(() => {
      isDone = true
    })
    while (!isDone) {
      array.exchange(1, initial as never)
      array.set(0, initial as never)
      await new Promise(setImmediate)
    }
    await changing
    t.deepEqual<unknown, unknown>(array.toArray(), [initial, initial, final])
  })
}

for (const [dtype, way] of [
  ['int32', 'add'],
  ['float64', 'add'],
  ['int32', 'update'],
] as const) {
  test(`no ${way} of an ${dtype} is lost between four worker threads`, async t => {
    using value = Value.create(unique('busy'), dtype)
    await contend(value as unknown as Value, way, 'thread')
    t.is(value.value, 100_000)
  })
}

test('integers wrap around, and every operation gives the old value', t => {
  for (const dtype of integers) {
    const big = dtype.endsWith('64')
    const bits = Number(dtype.match(/\d+/)?.[0])
    const signed = dtype.startsWith('int')
    const wrap = (n: bigint): number | bigint => {
      const wrapped = signed ? BigInt.asIntN(bits, n) : BigInt.asUintN(bits, n)
      return big ? wrapped : Number(wrapped)
    }
    const most = signed ? 2n ** BigInt(bits - 1) - 1n : 2n ** BigInt(bits) - 1n
    using value = Value.create(null, dtype, wrap(most) as never)
    const steps: [old: unknown, now: bigint, op: () => unknown][] = [
      [wrap(most), most + 1n, () => value.add(1)],
      [wrap(most + 1n), most, () => value.sub(1)],
      [wrap(most), 0b1100n, () => value.exchange(0b1100)],
      [wrap(0b1100n), 0b1000n, () => value.and(0b1010)],
      [wrap(0b1000n), 0b1011n, () => value.or(0b0011)],
      [wrap(0b1011n), 0b0110n, () => value.xor(0b1101)],
      [wrap(6n), 6n, () => value.compareExchange(5, 9)],
      [wrap(6n), -7n, () => value.compareExchange(6, -7)],
      [wrap(-7n), 3n, () => value.compareExchange(-7, 3)],
      [wrap(3n), 2n, () => value.add(-1)],
      [wrap(7n), 7n, () => value.update(v => (big ? (v as bigint) + 5n : (v as number) + 5) as never)],
    ]
    for (const [old, now, op] of steps) {
      t.is(op(), old, `${dtype}: ${op}`)
      t.is<unknown, unknown>(value.get(), wrap(now), `${dtype} after ${op}`)
    }
  }
})

test('floats are rounded once, NaN is equal to itself, and 0 to -0', t => {
  for (const dtype of floats) {
    using value = Value.create(null, dtype, 1.5)
    t.is(value.add(2), 1.5)
    t.is(value.sub(1), 3.5)
    t.is(value.exchange(Number.NaN), 2.5)
    t.is(value.compareExchange(1, 2), Number.NaN)
    t.is(value.compareExchange(Number.NaN, -0), Number.NaN)
    t.is(value.compareExchange(0, 5), -0)
    t.is(value.value, 5)
    t.is(
      value.update(v => (v as number) / 0),
      Number.POSITIVE_INFINITY,
    )
    for (const op of ['and', 'or', 'xor'] as const) t.throws(() => value[op](1), { code: 'ERR_UNSUPPORTED' })
  }
  using single = Value.create(null, 'float32', 0.1)
  t.is(single.value, Math.fround(0.1))
  t.is(single.compareExchange(0.1, 16777216), Math.fround(0.1), 'what is expected is rounded, too')
  t.is(single.add(1.5), 16777216)
  t.is(single.value, Math.fround(16777217.5))
})

test('a NaN with other bits is a NaN', t => {
  using value = Value.create(null, 'float64')
  const payload = new Float64Array(1)
  new BigUint64Array(payload.buffer)[0] = 0xfff8_0000_dead_beefn
  value.set(payload[0] as number)
  t.is(value.compareExchange(Number.NaN, 1), Number.NaN)
  t.is(value.get(), 1)
})

test('a bool has logic and no sums', t => {
  using flag = Value.create(null, 'bool')
  t.false(flag.value)
  t.false(flag.or(true))
  t.true(flag.and(1))
  t.true(flag.xor(true))
  t.false(flag.exchange(true))
  t.true(flag.compareExchange(true, false))
  t.true(flag.update(now => !now))
  for (const op of ['add', 'sub'] as const) t.throws(() => flag[op](1), { code: 'ERR_UNSUPPORTED' })
})

test('a value takes the scalars that an array of its dtype takes, and refuses others unchanged', t => {
  const inputs = [1.7, -1, 1e20, Number.NaN, 300, 3n, 2n ** 70n, true, '1', null, undefined, {}, [1, 2]]
  for (const dtype of dtypes) {
    using array = NDArray.create(null, { shape: [], dtype })
    for (const input of inputs) {
      using value = Value.create(null, dtype)
      const outcome = (act: () => unknown): unknown => {
        try {
          return act()
        } catch (error) {
          return (error as { code?: string }).code
        }
      }
      const expected = outcome(() => array.set(input as never).get())
      t.deepEqual(
        outcome(() => {
          value.value = input as never
          return value.value
        }),
        expected,
        `${dtype} ${String(input)}`,
      )
      if (expected !== 'ERR_INVALID_ARG') continue
      const bad = input as never
      const ops = [
        () => value.set(bad),
        () => value.exchange(bad),
        () => value.compareExchange(bad, 0 as never),
        () => value.compareExchange(0 as never, bad),
        () => value.update(() => bad),
      ]
      for (const op of ops) t.throws(op, { code: 'ERR_INVALID_ARG' }, `${dtype} ${op}`)
      if (dtype !== 'bool') t.throws(() => value.add(bad), { code: 'ERR_INVALID_ARG' })
      t.false(value.isLocked)
      t.is<unknown, unknown>(Number(value.get()), 0)
    }
  }
})

test('arguments that make no value are refused', t => {
  const name = unique('refused')
  for (const dtype of ['float31', 'c', '>i4', undefined, null, 'toString']) {
    t.throws(() => Value.create(name, dtype as never), { code: 'ERR_INVALID_ARG' })
  }
  for (const dtype of ['complex64', 'complex128'] as const) {
    t.throws(() => Value.create(name, dtype), { code: 'ERR_UNSUPPORTED' })
    t.throws(() => Value.openOrCreate(name, dtype), { code: 'ERR_UNSUPPORTED' })
  }
  t.throws(() => Value.create(name, 'int32', 'x' as never), { code: 'ERR_INVALID_ARG' })
  t.throws(() => Value.create(name, 'int32', 0, { lock: 1 as never }), { code: 'ERR_INVALID_ARG' })
  t.throws(() => Value.create(name, 'int32', 0, { persist: 1 as never }), { code: 'ERR_INVALID_ARG' })
  t.throws(() => Value.create(5 as never, 'int32'), { code: 'ERR_INVALID_NAME' })
  t.throws(() => new (Value as unknown as new () => Value)(), { code: 'ERR_INVALID_ARG' })
  t.throws(() => Value.open(name), { code: 'ERR_NOT_FOUND' })
  t.false(list().some(object => object.name === name))
  using mutex = Mutex.create(unique('mutex'))
  t.throws(() => Value.open(mutex.name), { code: 'ERR_WRONG_KIND' })
  using value = Value.create(name, 'int32')
  t.throws(() => Value.create(name, 'int32'), { code: 'ERR_EXISTS' })
  t.throws(() => SharedMemory.open(value.name), { code: 'ERR_WRONG_KIND' })
})

test('openOrCreate makes it once, and refuses another dtype or lock', t => {
  const name = unique('both')
  using first = Value.openOrCreate(name, 'int32', 4)
  using second = Value.openOrCreate(name, 'int32', 7)
  second.add(1)
  t.is(first.value, 5)
  t.throws(() => Value.openOrCreate(name, 'uint32'), { code: 'ERR_INVALID_ARG' })
  t.throws(() => Value.openOrCreate(name, 'int32', 0, { lock: false }), { code: 'ERR_INVALID_ARG' })
  t.is(first.value, 5)
})

test('a value travels as a reference', t => {
  using value = Value.create(unique('travels'), 'int64', 4)
  for (const arrived of [JSON.parse(JSON.stringify(value)), structuredClone(value), value.name]) {
    using opened = open(arrived as Reference)
    t.true(opened instanceof Value)
    if (opened instanceof Value) t.deepEqual([opened.dtype, opened.value], ['int64', 4n])
  }
})

test('with lock: false there are atomics and no lock', async t => {
  using value = Value.create(unique('raw'), 'int32', 5, { lock: false })
  using again = open(value.toJSON()) as Value<'int32'>
  t.false(again.hasLock)
  t.is(again.add(2), 5)
  t.is(value.value, 7)
  for (const use of [
    () => again.update(v => v + 1),
    () => again.lockSync(),
    () => again.tryLock(),
    () => again.unlock(),
  ]) {
    t.throws(use, { code: 'ERR_UNSUPPORTED', message: /lock: false/ }, String(use))
  }
  await t.throwsAsync(again.lock(), { code: 'ERR_UNSUPPORTED' })
  await t.throwsAsync(
    again.withLock(() => 1),
    { code: 'ERR_UNSUPPORTED' },
  )
  t.is(value.value, 7)
})

test('update passes exceptions through, and refuses functions that would hang or return late', async t => {
  using value = Value.create(unique('update'), 'int32', 5)
  const fail = (): never => {
    throw new RangeError('mine')
  }
  t.throws(() => value.update(fail), { instanceOf: RangeError, message: 'mine' })
  for (const wrong of [undefined, null, 1] as never[])
    t.throws(() => value.update(wrong), { code: 'ERR_INVALID_ARG', message: /is a function/ })
  t.throws(() => value.update((async () => 6) as never), { code: 'ERR_INVALID_ARG', message: /asynchronous/ })
  t.throws(() => value.update(() => value.update(() => 6)), { code: 'ERR_DEADLOCK' })
  t.throws(() => value.update(() => 6, { timeout: -1 }), { code: 'ERR_INVALID_ARG' })
  t.is(value.value, 5)
  await value.withLock(guard => {
    t.false(guard.ownerDied)
    t.throws(() => value.update(() => 6), { code: 'ERR_DEADLOCK' })
    value.value += 1
  })
  t.is(
    value.update((v, { ownerDied }) => v + Number(ownerDied)),
    6,
  )
  t.false(value.isLocked, 'none of it left it locked')
})

for (const way of ['die inside update', 'die inside withLock']) {
  test(`a holder that would ${way} is reported, until an update succeeds`, async t => {
    using value = Value.create(unique('half'), 'int32')
    t.is((await gone(start('arrays/hold-lock-of-data', JSON.stringify(value), way))).signal, 'SIGKILL')
    const fail = (): never => {
      throw new RangeError('no repair')
    }
    t.throws(() => value.update(fail), { instanceOf: RangeError })
    await value.withLock(guard => t.true(guard.ownerDied, 'no holder has repaired it'))
    value.update((_, { ownerDied }) => {
      t.true(ownerDied)
      return 3
    })
    value.update((v, { ownerDied }) => {
      t.false(ownerDied)
      return v
    })
    t.is(value.value, 3)
  })
}

test('atomics go on while another process holds the lock; update waits, and takes over from the dead', async t => {
  using value = Value.create(unique('held'), 'int32')
  const holder = start('arrays/hold-lock-of-data', JSON.stringify(value))
  t.is(await message(holder), 'inside')
  t.true(value.isLocked)
  t.is(value.add(4), 1)
  t.is(value.tryLock(), undefined)
  t.throws(() => value.update(v => v, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  const signal = AbortSignal.abort()
  await t.throwsAsync(
    value.withLock(() => 1, { signal }),
    { any: true, name: 'AbortError' },
  )
  const waiting = value.withLock(guard => guard.ownerDied)
  holder.kill('SIGKILL')
  t.true(await waiting)
  t.is(value.value, 5)
})

test('after close everything says so', async t => {
  const value = Value.create(unique('closed'), 'int32', 1)
  value.close()
  value.close()
  const uses = [
    () => value.value,
    () => {
      value.value = 1
    },
    () => value.get(),
    () => value.set(1),
    () => value.add(1),
    () => value.sub(1),
    () => value.and(1),
    () => value.or(1),
    () => value.xor(1),
    () => value.exchange(1),
    () => value.compareExchange(1, 1),
    () => value.update(v => v),
    () => value.lockSync(),
    () => value.tryLock(),
    () => value.unlock(),
    () => value.unlink(),
    () => value.persist,
  ]
  for (const use of uses) t.throws(use, { code: 'ERR_CLOSED' }, String(use))
  await t.throwsAsync(
    value.withLock(() => 1),
    { code: 'ERR_CLOSED' },
  )
  t.deepEqual(value.toJSON(), { crossmem: 'Value', name: value.name })
})

test('two handles of one thread are one object', t => {
  using first = Value.create(unique('two'), 'int32')
  const second = Value.open<'int32'>(first.name)
  first.update(() => {
    t.throws(() => second.update(v => v), { code: 'ERR_DEADLOCK' })
    return second.add(2) + 9
  })
  second.close()
  t.is(first.value, 9)
})

if (process.platform === 'linux') {
  test('an overwritten header is refused', t => {
    for (const [dtype, at, number] of [
      ['int32', 24, 77],
      ['int32', 32, 2],
      ['int32', 40, 2],
      ['float64', 24, 13], // complex64 is as long
    ] as const) {
      using value = Value.create(unique('scribbled'), dtype)
      scribble(value.name, at, number)
      t.throws(() => Value.open(value.name), { code: 'ERR_CORRUPT' }, `${dtype} ${at}`)
      t.is(value.add(1), 0, 'what is open goes on')
    }
  })
}
