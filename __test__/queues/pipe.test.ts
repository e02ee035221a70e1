import '../helpers/domain.js'
import { deepStrictEqual } from 'node:assert'
import ava from 'ava'
import { type Codec, list, NDArray, open, Pipe, Queue, type Reference } from 'crossmem'
import { badAsyncWaits, badWaits, range } from '../contracts/queue-class.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'

const test = ava.serial
const filled = (length: number, byte = 7): Uint8Array => new Uint8Array(length).fill(byte)
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** Both ends, which are closed at the end of the block. */
function make<T = unknown>(options?: Parameters<typeof Pipe.create<T>>[0]) {
  const [a, b] = Pipe.create<T>(options)
  const close = () => {
    for (const end of [a, b]) end.close()
  }
  return { a, b, [Symbol.dispose]: close }
}

const values = [
  undefined,
  null,
  0,
  '',
  false,
  Number.NaN,
  [],
  { id: 1, list: ['a'] },
  new Date(3),
  Uint8Array.of(1),
  'ü'.repeat(100_000),
]

for (const codec of ['msgpack', 'v8'] as const) {
  test(`values go both ways as they are, in order: ${codec}`, async t => {
    using ends = make({ codec })
    for (const [from, to] of [
      [ends.a, ends.b],
      [ends.b, ends.a],
    ] as const) {
      t.is(to.tryRecv(), undefined)
      for (const value of values) {
        const waiting = to.recv()
        await from.send(value)
        const received = await waiting
        t.notThrows(() => deepStrictEqual(received, value))
      }
      for (const value of values.slice(0, -1)) from.sendSync(value)
      for (const value of values.slice(0, -1)) deepStrictEqual(to.recvSync(), value)
      const sends = range(100).map(i => from.send(i))
      t.deepEqual([await to.recv(), to.recvSync(), to.tryRecv()], [0, 1, 2])
      for (const i of range(97, 3)) t.is(await to.recv(), i)
      await Promise.all(sends)
    }
  })
}

test('bytes go as they are, of every size', async t => {
  for (const capacity of [1, 64, 65_536]) {
    using ends = make({ capacity })
    const most = Math.max(capacity, 64) / 2 - 8
    for (const size of [0, 1, most - 1, most, most + 1, 10 * most]) {
      const message = filled(size, size % 251)
      const sent = ends.a.sendBytes(message)
      t.true(same(await ends.b.recvBytes(), message), `${size} bytes through ${capacity}`)
      await sent
    }
    ends.a.sendBytesSync(filled(most))
    t.true(same(ends.b.recvBytesSync(), filled(most)))
  }
})

test('bytes are received into memory of the caller, or are the cause of the error', async t => {
  using ends = make()
  const { a, b } = ends
  const room = filled(4, 0)
  for (const size of [3, 0, 5, 6]) a.sendBytesSync(filled(size))
  t.is(await b.recvBytesInto(room), 3)
  t.is(b.recvBytesIntoSync(room), 0)
  t.deepEqual(room, Uint8Array.of(7, 7, 7, 0))
  const causes = [
    (await t.throwsAsync(b.recvBytesInto(room), { code: 'ERR_TOO_LARGE' }))?.cause,
    t.throws(() => b.recvBytesIntoSync(room), { code: 'ERR_TOO_LARGE' })?.cause,
  ]
  t.deepEqual(causes, [filled(5), filled(6)])
})

test('invalid arguments are refused', async t => {
  const refusal = { code: 'ERR_INVALID_ARG' }
  for (const options of [
    { duplex: 1 },
    { capacity: 0 },
    { capacity: 1.5 },
    { capacity: '1' },
    { codec: 'yaml' },
    { persist: 1 },
  ] as never[]) {
    t.throws(() => Pipe.create(options), refusal, JSON.stringify(options))
  }
  t.throws(() => Pipe.create({ name: 'a/b' }), { code: 'ERR_INVALID_NAME' })
  t.throws(() => new (Pipe as unknown as new () => Pipe)(), { ...refusal, message: /not with new/ })
  using ends = make()
  const { a, b } = ends
  for (const wrong of ['text', 1, undefined, null, new Uint16Array(1)] as never[]) {
    t.throws(() => a.sendBytesSync(wrong), refusal)
    t.throws(() => a.recvBytesIntoSync(wrong), refusal)
    await t.throwsAsync(a.sendBytes(wrong), refusal)
    await t.throwsAsync(a.recvBytesInto(wrong), refusal)
  }
  for (const wait of badAsyncWaits as never[]) {
    const waits = [
      a.send(1, wait),
      a.sendBytes(filled(1), wait),
      a.recv(wait),
      a.recvBytes(wait),
      Pipe.wait([a], wait),
    ]
    for (const refused of waits) await t.throwsAsync(refused, refusal, JSON.stringify(wait))
  }
  for (const wait of badWaits as never[]) {
    t.throws(() => a.sendSync(1, wait), refusal)
    t.throws(() => a.recvSync(wait), refusal)
  }
  b.sendSync('ready')
  for (const timeout of [-1, Number.NaN, '1'] as never[]) {
    t.throws(() => a.pollSync(timeout), refusal)
    await t.throwsAsync(a.poll(timeout), refusal)
  }
  await t.throwsAsync(Pipe.wait([a], { signal: AbortSignal.abort() }), { any: true, name: 'AbortError' })
  t.throws(() => a.sendSync(() => 1), refusal)
  await t.throwsAsync(
    a.send(() => 1),
    refusal,
  )
  t.deepEqual([b.tryRecv(), a.tryRecv()], [undefined, 'ready'])
  for (const reference of [
    {},
    null,
    { ...a.toJSON(), end: 2 },
    { crossmem: 'Pipe', name: a.name },
  ] as never[]) {
    t.throws(() => Pipe.open(reference), undefined, JSON.stringify(reference))
  }
  using queue = Queue.create(null)
  t.throws(() => Pipe.open({ crossmem: 'Pipe', name: queue.name, end: 0 }), { code: 'ERR_WRONG_KIND' })
  t.throws(() => open(a.name), refusal, 'a name says nothing about which end')
})

test('a pipe of one direction goes from its second end to its first', async t => {
  using ends = make<number>({ duplex: false })
  const { a: receiver, b: sender } = ends
  sender.sendSync(1)
  t.is(await receiver.recv(), 1)
  const refusal = { code: 'ERR_INVALID_ARG', message: /one way/ }
  t.throws(() => receiver.sendSync(1), refusal)
  t.throws(() => sender.recvSync(), refusal)
  t.throws(() => sender.tryRecv(), refusal)
  t.throws(() => sender.pollSync(), refusal)
  await t.throwsAsync(receiver.send(1), refusal)
  await t.throwsAsync(sender.recv(), refusal)
  await t.throwsAsync(sender.poll(1), refusal)
})

test('a full pipe is waited for, in order', async t => {
  using ends = make<Uint8Array>({ capacity: 64 })
  const { a, b } = ends
  for (const i of range(4)) a.sendBytesSync(filled(8, i))
  t.throws(() => a.sendBytesSync(filled(8), { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(a.sendBytes(filled(8), { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  const controller = new AbortController()
  const aborted = a.sendBytes(filled(8), { signal: controller.signal })
  const sends = range(20, 4).map(i => a.sendBytes(filled(i % 2 ? 8 : 200, i)))
  t.throws(() => a.sendBytesSync(filled(500), { timeout: 1 }))
  controller.abort()
  await t.throwsAsync(aborted, { any: true, name: 'AbortError' })
  for (const i of range(24)) t.is((await b.recvBytes())[0], i)
  await Promise.all(sends)
  await t.throwsAsync(b.recv({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => b.recvSync({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
})

// The time-out of such a send begins when the large message has gone.
test('a send behind a large message keeps its own time-out', async t => {
  using ends = make({ capacity: 64 })
  const { a } = ends
  const large = a.sendBytes(filled(1000))
  large.catch(() => undefined)
  const sent = a.send(1, { timeout: 1 }).catch(error => error.code)
  const later = a.recv({ timeout: 200 }).catch(() => 'still pending')
  t.is(await Promise.race([sent, later]), 'ERR_TIMEOUT')
})

test('messages sent behind a large message arrive behind it', async t => {
  using ends = make({ capacity: 64 })
  const { a, b } = ends
  const sends = [a.sendBytes(filled(1000)), a.send(1), a.sendBytes(filled(500)), a.send(2)]
  t.throws(() => a.sendSync(1), { code: 'ERR_BUSY', message: /large/ })
  t.true(same(await b.recvBytes(), filled(1000)))
  t.is(await b.recv(), 1)
  t.true(same(await b.recvBytes(), filled(500)))
  t.is(await b.recv(), 2)
  await Promise.all(sends)
})

test('poll says whether there is something to receive, and takes nothing', async t => {
  using ends = make()
  const { a, b } = ends
  t.deepEqual([a.pollSync(), await a.poll(), a.pollSync(1), await a.poll(1)], [false, false, false, false])
  const polling = a.poll(600_000)
  t.true(await isPending(polling))
  b.sendSync(undefined)
  t.true(await polling)
  t.deepEqual(
    [a.pollSync(), await a.poll(), a.pollSync(600_000), await a.poll(600_000)],
    [true, true, true, true],
  )
  t.is(await a.recv(), undefined)
  t.false(a.pollSync())
  b.close()
  t.true(a.pollSync(), 'the end is something to receive')
  t.true(await a.poll(600_000))
})

test('the end comes after all that was sent; closing twice is fine', async t => {
  using ends = make<number>()
  const { a, b } = ends
  b.sendSync(1)
  const waiting = b.recv()
  b.close()
  b.close()
  await t.throwsAsync(waiting, { code: 'ERR_CLOSED' })
  for (const use of [
    () => b.send(1),
    () => b.recv(),
    () => b.sendSync(1),
    () => b.recvSync(),
    () => b.tryRecv(),
    () => b.sendBytes(filled(1)),
    () => b.recvBytes(),
    () => b.sendBytesSync(filled(1)),
    () => b.recvBytesSync(),
    () => b.recvBytesInto(filled(1)),
    () => b.recvBytesIntoSync(filled(1)),
    () => b.poll(),
    () => b.pollSync(),
    () => b.readable,
    () => b.writable,
    () => b.persist,
    () => b.unlink(),
    () => Pipe.wait([b]),
    () => b[Symbol.asyncIterator]().next(),
  ]) {
    await t.throwsAsync(async () => use(), { code: 'ERR_CLOSED' }, String(use))
  }
  await t.throwsAsync(a.send(1), { code: 'ERR_ENDED' })
  t.throws(() => a.sendSync(1), { code: 'ERR_ENDED' })
  t.is(a.recvSync(), 1)
  t.is(a.tryRecv(), undefined)
  t.throws(() => a.recvSync(), { code: 'ERR_ENDED' })
  await t.throwsAsync(a.recv(), { code: 'ERR_ENDED' })
  for await (const value of a) t.fail(String(value))
  t.throws(() => open(b.toJSON()), { code: 'ERR_ENDED' })
  a.close()
  t.deepEqual(list(), [])
})

const text: Codec<string> = {
  encode: value => new TextEncoder().encode(value),
  decode: bytes => new TextDecoder().decode(bytes),
}

test('a codec of one’s own is needed at both ends', async t => {
  for (const codec of [text, { ...text, name: 'text' }]) {
    const [a, b] = Pipe.create({ codec })
    const reference = b.toJSON()
    for (const other of [undefined, 'json', { ...text, name: 'other' }] as never[]) {
      t.throws(() => Pipe.open(reference, { codec: other }), { code: 'ERR_INVALID_ARG', message: /codec/ })
    }
    t.throws(() => open(reference), { code: 'ERR_INVALID_ARG' })
    using far = Pipe.open<string>(reference, { codec })
    far.sendSync('hello')
    t.is(await a.recv(), 'hello')
    t.deepEqual(b.end, 1)
    a.close()
    b.close()
  }
  using ends = make({ codec: 'json' })
  ends.a.sendSync({ date: new Date(0) })
  t.deepEqual(ends.b.recvSync(), { date: '1970-01-01T00:00:00.000Z' })
  ends.a.sendBytesSync(filled(3))
  t.throws(() => ends.b.recvSync(), { code: 'ERR_CORRUPT' })
})

test('a structured clone of an end is a reference to it', async t => {
  const [a, b] = Pipe.create({ name: unique('pipe') })
  const clone = structuredClone(b) as unknown as Reference
  t.deepEqual(clone, { ...b.toJSON() })
  using far = open(clone) as Pipe
  far.sendSync(1)
  t.is(await a.recv(), 1)
  t.throws(() => b.sendSync(1), { code: 'ERR_BUSY' }, 'it is taken')
  a.close()
  b.close()
})

test('Pipe.wait tells which ends have something to receive', async t => {
  const pipes = range(20).map(() => Pipe.create<number>({ capacity: 64 }))
  const ends = pipes.map(([a]) => a)
  t.deepEqual(await Pipe.wait([]), [])
  t.deepEqual(await Pipe.wait(ends, { timeout: 0 }), [])
  t.deepEqual(await Pipe.wait(ends, { timeout: 1 }), [])
  for (const wrong of [undefined, null, 1, 'text', [1], [...ends, undefined]] as never[])
    await t.throwsAsync(Pipe.wait(wrong), { code: 'ERR_INVALID_ARG', message: /ends of pipes/ })
  const waiting = Pipe.wait(new Set(ends))
  t.true(await isPending(waiting))
  pipes[7]?.[1].sendSync(1)
  t.deepEqual(await waiting, [ends[7]] as never)
  pipes[3]?.[1].close()
  t.deepEqual(await Pipe.wait(ends), [ends[3], ends[7]] as never)
  const controller = new AbortController()
  const others = ends.filter((_, i) => i !== 3 && i !== 7)
  const aborted = Pipe.wait(others, { signal: controller.signal })
  controller.abort()
  await t.throwsAsync(aborted, { any: true, name: 'AbortError' })
  const closed = Pipe.wait(others)
  others[0]?.close()
  await t.throwsAsync(closed, { code: 'ERR_CLOSED' })
  t.is(ends[7]?.recvSync(), 1, 'nothing was taken')
  for (const [a, b] of pipes) for (const end of [a, b]) end.close()
})

test('a handle in a value arrives as a reference that opens', async t => {
  using ends = make()
  using prices = NDArray.from(null, [1, 2])
  ends.a.sendSync({ prices })
  const { prices: reference } = (await ends.b.recv()) as { prices: Reference }
  using again = open(reference) as NDArray<'float64'>
  t.is(again.get(1), 2)
})
