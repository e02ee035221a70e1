import '../helpers/domain.js'
import { deepStrictEqual } from 'node:assert'
import ava from 'ava'
import { type Codec, NDArray, open, Queue, type Reference } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { testQueue } from '../contracts/queue.js'
import { type AnyQueue, range, spilledBytes } from '../contracts/queue-class.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { gone, message, start } from '../processes/children.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  Queue,
  [],
  [
    queue => queue.put(1),
    queue => queue.putSync(1),
    queue => queue.tryPut(1),
    queue => queue.putMany([1]),
    queue => queue.putManySync([1]),
    queue => queue.tryPutMany([1]),
    queue => queue.get(),
    queue => queue.getSync(),
    queue => queue.tryGet(),
    queue => queue.getMany(1),
    queue => queue.getManySync(1),
    queue => queue.tryGetMany(1),
    queue => queue.receive(),
    queue => queue.receiveSync(),
    queue => queue.tryReceive(),
    queue => queue.size,
    queue => queue.isEmpty,
    queue => queue.isFull,
    queue => queue.isEnded,
    queue => queue.end(),
    queue => queue.readable,
    queue => queue.writable,
    queue => queue.messages().next(),
    queue => queue[Symbol.asyncIterator]().next(),
  ],
)

testQueue({
  kind: 'Queue',
  create: options => Queue.create(null, options) as unknown as AnyQueue,
  put: 'put',
  get: 'get',
  item: i => i,
})

const values = [
  undefined,
  null,
  0,
  -0,
  '',
  false,
  Number.NaN,
  [],
  {},
  2n ** 70n,
  new Date(5),
  new Map<unknown, unknown>([[{ a: 1 }, new Set([undefined])]]),
  Uint8Array.of(1, 2),
  Buffer.from('abc'),
  new Float64Array([0.5]),
  { id: 7, tags: ['a', { b: null }] },
  'ü🦀'.repeat(50_000),
]

for (const codec of ['msgpack', 'v8'] as const) {
  test(`values come out as they went in, whatever way: ${codec}`, async t => {
    using queue = Queue.create(null, { codec })
    t.is(queue.codec, codec)
    const same = (actual: unknown, expected: unknown) => t.notThrows(() => deepStrictEqual(actual, expected))
    for (const value of values) {
      await queue.put(value)
      same(await queue.get(), value)
      const waiting = queue.get()
      queue.putSync(value)
      same(await waiting, value)
      t.true(queue.tryPut(value))
      same(queue.getSync(), value)
      queue.putSync(value)
      const received = queue.receiveSync()
      same(received.value, value)
      received.release()
      queue.putSync(value)
      same(queue.tryGet(), value)
      same(queue.tryReceive(), undefined)
    }
    await queue.putMany(values)
    same(await queue.getMany(100), values)
    queue.putManySync(values)
    same(queue.tryGetMany(100), values)
    const waiting = queue.getMany(2)
    t.is(queue.tryPutMany(values), values.length)
    same([...(await waiting), ...queue.getManySync(100)], values)
    t.is(spilledBytes(), 0)
  })
}

test('the codec json carries what JSON has, and refuses the rest', async t => {
  using queue = Queue.create(null, { codec: 'json' })
  t.is(queue.codec, 'json')
  queue.putSync({ a: [1, null, 'x'], date: new Date(0), gone: undefined })
  t.deepEqual(queue.getSync(), { a: [1, null, 'x'], date: '1970-01-01T00:00:00.000Z' })
  await t.throwsAsync(queue.put(undefined), { code: 'ERR_INVALID_ARG', message: /undefined/ })
})

test('a value that can’t be encoded is refused, and nothing is put', async t => {
  using queue = Queue.create<unknown>(null, { capacity: 2 })
  const wrong = { tags: [() => 1] }
  const refusal = { code: 'ERR_INVALID_ARG', message: /^value\.tags\[0\] can't be sent/ }
  await t.throwsAsync(queue.put(wrong), refusal)
  t.throws(() => queue.putSync(wrong), refusal)
  t.throws(() => queue.tryPut(wrong), refusal)
  await t.throwsAsync(queue.putMany([1, wrong]), refusal)
  t.throws(() => queue.putManySync([1, wrong]), refusal)
  t.throws(() => queue.tryPutMany([1, wrong]), refusal)
  t.true(queue.isEmpty)
  t.is(queue.tryPutMany([1, 2, 3]), 2)
})

test('a value is encoded when it is put, also by a put that waits', async t => {
  using queue = Queue.create<{ id: number }>(null, { capacity: 1 })
  const value = { id: 1 }
  const puts = range(3).map(i => {
    value.id = i
    return queue.put(value)
  })
  value.id = 99
  t.deepEqual(
    [await queue.get(), await queue.get(), await queue.get()],
    range(3).map(id => ({ id })),
  )
  await Promise.all(puts)
})

const text: Codec<string> = {
  encode: value => new TextEncoder().encode(value),
  decode: bytes => new TextDecoder().decode(bytes),
}
const named: Codec<string> = { ...text, name: 'text' }

test('a queue with a custom codec opens only with this codec', t => {
  for (const codec of [text, named]) {
    using queue = Queue.create(null, { codec })
    using again = Queue.open(queue.name, { codec: { ...codec } })
    t.regex(queue.codec, codec === named ? /"text"/ : /without a name/)
    queue.putSync('hello')
    t.is(again.getSync(), 'hello')
    queue.putManySync(['', 'x'.repeat(5000), 'b'])
    t.deepEqual(again.getManySync(9), ['', 'x'.repeat(5000), 'b'])
    for (const other of [
      undefined,
      'msgpack',
      codec === named ? text : named,
      { ...text, name: 'other' },
    ] as const) {
      t.throws(() => Queue.open(queue.name, { codec: other as never }), {
        code: 'ERR_INVALID_ARG',
        message: /codec/,
      })
    }
    t.throws(() => open(queue.name), { code: 'ERR_INVALID_ARG', message: /codec/ })
  }
  const name = unique('codec')
  using _json = Queue.openOrCreate(name, { codec: 'json' })
  using again = Queue.openOrCreate(name)
  t.is(again.codec, 'json')
  t.throws(() => Queue.openOrCreate(name, { codec: 'msgpack' }), { code: 'ERR_INVALID_ARG' })
  for (const codec of ['yaml', 1, null, {}, { encode() {} }] as never[]) {
    t.throws(() => Queue.create(null, { codec }), { code: 'ERR_INVALID_ARG' })
  }
})

test('a codec may use queues itself', t => {
  using inner = Queue.create<string>(null)
  const through = (value: string): string => {
    inner.putManySync([value.toUpperCase(), 'another'])
    return inner.getManySync(2)[0] as string
  }
  using queue = Queue.create<string>(null, {
    codec: {
      encode: value => text.encode(through(value)),
      decode: bytes => through(text.decode(bytes)),
    },
  })
  const words = ['one', 'two', 'three']
  queue.putManySync(words)
  t.deepEqual(queue.getManySync(3), ['ONE', 'TWO', 'THREE'])
  queue.putSync('four')
  using received = queue.receiveSync()
  t.is(received.value, 'FOUR')
})

test('bytes that the codec didn’t write are ERR_CORRUPT for one reader, and the next value is fine', async t => {
  using queue = Queue.create<string>(null, {
    codec: {
      encode: text.encode,
      decode: bytes => {
        const value = text.decode(bytes)
        if (value === 'bad') throw new Error('as told')
        return value
      },
    },
  })
  const read = [
    () => queue.get(),
    async () => queue.getSync(),
    async () => queue.tryGet(),
    () => queue.receive(),
  ]
  for (const one of read) {
    queue.putManySync(['bad', 'good'])
    await t.throwsAsync(one() as Promise<unknown>, { code: 'ERR_CORRUPT', message: /as told/ })
    t.is(queue.getSync(), 'good')
  }
  const waits = [queue.get(), queue.get()] as const
  queue.putManySync(['bad', 'good'])
  await t.throwsAsync(waits[0], { code: 'ERR_CORRUPT' })
  t.is(await waits[1], 'good')
})

for (const place of places) {
  test(`a handle in a value arrives as a reference that opens: ${place}`, async t => {
    using queue = Queue.create<{ prices: NDArray | Reference; answers: Queue | Reference }>(null)
    using answers = Queue.create<number>(null)
    using prices = NDArray.from(null, [1, 2.5])
    const there = await startPeer(t, place)
    const far = await there.open(queue)
    await queue.put({ prices, answers })
    await there.it('deeds').do('sumUp', far)
    t.is(await answers.get(), 3.5)
    await queue.put({ prices, answers })
    const back = await queue.get()
    t.deepEqual({ ...back }, { prices: { ...prices.toJSON() }, answers: { ...answers.toJSON() } } as never)
    using again = open(back.answers as Reference)
    t.true(again instanceof Queue)
  })

  for (const redeliver of [false, true]) {
    test(`a value that a killed ${place} held ${redeliver ? 'comes again, and says so' : 'is lost'}`, async t => {
      using queue = Queue.create<string>(null, { redeliver, messageBytes: 8 })
      const [doomed, bystander] = [await startPeer(t, place), await startPeer(t, place)]
      await bystander.open(queue)
      const far = await doomed.open(queue)
      queue.putManySync(['short', 'one that is larger', 'third'])
      const first = await far.take('receive')
      t.false(await first.do('redelivered'))
      t.is(await first.do('value'), 'short')
      await far.take('receive')
      await doomed.kill()
      const third = queue.receiveSync()
      t.deepEqual([third.value, third.redelivered], ['third', false])
      third.release()
      if (redeliver) {
        const again = [await queue.receive(), await queue.receive()]
        t.deepEqual(
          again.map(({ redelivered }) => redelivered),
          [true, true],
        )
        t.deepEqual(again.map(({ value }) => value).sort(), ['one that is larger', 'short'])
        for (const one of again) one.release()
      } else {
        await t.throwsAsync(queue.get({ timeout: 300 }), { code: 'ERR_TIMEOUT' })
      }
      t.true(queue.isEmpty)
      t.is(spilledBytes(), 0)
    })
  }
}

test('messages are iterated, and each is released by its reader', async t => {
  using queue = Queue.create<number>(null, { capacity: 2, redeliver: true })
  queue.putManySync([0, 1])
  queue.end()
  const seen: number[] = []
  for await (const one of queue.messages()) {
    using held = one
    seen.push(held.value)
  }
  t.deepEqual(seen, [0, 1])
})

test('three hundred queues are waited for without a thread of ours, and then the process ends by itself', async t => {
  const queues = range(300).map(() => Queue.create<number>(null, { capacity: 2, messageBytes: 16 }))
  const child = start('queues/wait-for-queues', ...queues.map(({ name }) => name))
  t.is(await message(child), 'waiting')
  const end = message(child)
  for (const [i, queue] of queues.entries()) await queue.put(i)
  t.deepEqual(await end, { sum: 44_850, threads: 0 })
  t.deepEqual(await gone(child), { code: 0, signal: null })
  for (const queue of queues) queue.close()
})

test('a process stays for a wait, unless it is unref', async t => {
  using queue = Queue.create<number>(null)
  const staying = start('queues/wait-for-queues', queue.name)
  t.is(await message(staying), 'waiting')
  const ended = gone(staying)
  const leaving = start('queues/wait-for-queues', '--unref', queue.name)
  t.deepEqual(await gone(leaving), { code: 0, signal: null })
  t.true(await isPending(ended))
  await queue.put(1)
  t.deepEqual(await ended, { code: 0, signal: null })
})
