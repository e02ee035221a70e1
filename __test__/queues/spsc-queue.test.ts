import '../helpers/domain.js'
import ava from 'ava'
import { list, SpscConsumer, SpscProducer, SpscQueue } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { badAsyncWaits, badCounts, badWaits, range } from '../contracts/queue-class.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

testObject(
  SpscQueue,
  [],
  [
    queue => queue.openProducer(),
    queue => queue.openConsumer(),
    queue => queue.capacity,
    queue => queue.maxMessageBytes,
    queue => queue.usedBytes,
    queue => queue.isEmpty,
    queue => queue.isEnded,
  ],
)

const none = new Uint8Array()
const numbered = (i: number): Uint8Array => new Uint8Array(Int32Array.of(i).buffer)
const many = (length: number, from = 0): Uint8Array[] => range(length, from).map(numbered)
const filled = (length: number, byte = 7): Uint8Array => new Uint8Array(length).fill(byte)
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** A queue and both its ends, which are closed with it. */
function make(capacity?: number) {
  const queue = SpscQueue.create(null, { capacity })
  const [producer, consumer] = [queue.openProducer(), queue.openConsumer()]
  const close = () => {
    for (const handle of [producer, consumer, queue]) handle.close()
  }
  return { queue, producer, consumer, [Symbol.dispose]: close }
}

test('whatever way messages go in and come out, they are in order', async t => {
  using made = make()
  const { queue, producer, consumer } = made
  t.true(producer instanceof SpscProducer && consumer instanceof SpscConsumer)
  t.deepEqual([producer.name, consumer.name], [queue.name, queue.name])
  t.deepEqual([queue.isEmpty, queue.usedBytes, queue.isEnded], [true, 0, false])
  t.true(producer.tryPush(numbered(0)))
  producer.pushSync(numbered(1), { timeout: 0 })
  await producer.push(numbered(2))
  t.is(producer.tryPushMany(many(2, 3)), 2)
  producer.pushManySync(many(3, 5))
  await producer.pushMany(many(4, 8))
  t.deepEqual([queue.isEmpty, queue.usedBytes], [false, 12 * 16])
  t.deepEqual(
    [
      await consumer.pop(),
      consumer.popSync(),
      consumer.tryPop(),
      await consumer.popMany(2),
      consumer.popManySync(3),
      consumer.tryPopMany(9),
    ],
    [...many(3), many(2, 3), many(3, 5), many(4, 8)],
  )
  t.deepEqual([consumer.tryPop(), consumer.tryPopMany(1), queue.isEmpty], [undefined, [], true])
  await producer.pushMany([])
  producer.pushManySync([])
  t.is(producer.tryPushMany([]), 0)
})

for (const [asked, capacity] of [
  [1, 64],
  [2, 64],
  [64, 64],
  [65, 128],
  [65_536, 65_536],
  [1 << 20, 1 << 20],
] as const) {
  test(`messages of every size in a ring of ${asked} bytes`, async t => {
    using made = make(asked)
    const { queue, producer, consumer } = made
    const most = capacity / 2 - 8
    t.deepEqual([queue.capacity, queue.maxMessageBytes], [capacity, most])
    for (const size of [0, 1, 7, 8, 9, most - 1, most, most, most]) {
      const message = filled(size, size % 251)
      producer.pushSync(message)
      t.true(same(consumer.popSync(), message), `${size}`)
      await producer.push(message)
      t.true(same(await consumer.pop(), message))
      t.is(producer.tryPushMany([message]), 1)
      t.true(same(consumer.popManySync(1)[0] as Uint8Array, message))
    }
    const refusal = { code: 'ERR_TOO_LARGE' }
    t.throws(() => producer.tryPush(filled(most + 1)), refusal)
    t.throws(() => producer.pushSync(filled(most + 1)), refusal)
    t.throws(() => producer.reserve(most + 1), refusal)
    await t.throwsAsync(producer.push(filled(most + 1)), refusal)
    t.true(queue.isEmpty)
    let count = 0
    while (producer.tryPush(numbered(count))) count++
    t.is(count, capacity / 16, 'a record has a header of 8 bytes, and is a multiple of 8')
    t.is(producer.tryPushMany(many(1)), 0)
    t.throws(() => producer.pushSync(none, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
    await t.throwsAsync(producer.push(none, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
    const all = consumer.tryPopMany(count + 1)
    t.true(all.length === count && all.every((message, i) => same(message, numbered(i))))
  })
}

test('batches of all sizes go around the ring many times, whole and in order', t => {
  using made = make(1 << 18)
  const { queue, producer, consumer } = made
  const sized = (i: number): Uint8Array =>
    filled([0, 1, 8, 63, 200, 3000, 70_000, 100_000][i % 8] as number, i)
  let [pushed, popped] = [0, 0]
  while (popped < 3000) {
    const batch = range(1 + (pushed % 7), pushed).map(sized)
    pushed += producer.tryPushMany(batch)
    const came = consumer.tryPopMany(1 + (popped % 11))
    for (const message of came) if (!same(message, sized(popped++))) t.fail(`message ${popped - 1}`)
  }
  popped += consumer.tryPopMany(pushed).length
  t.deepEqual([popped, queue.isEmpty], [pushed, true])
})

test('invalid arguments are refused', async t => {
  for (const capacity of [0, -1, 1.5, Number.NaN, '1'] as never[]) {
    t.throws(() => SpscQueue.create(null, { capacity }), { code: 'ERR_INVALID_ARG' }, String(capacity))
  }
  using made = make()
  const { queue, producer, consumer } = made
  for (const wrong of ['text', 1, undefined, null, [1], new Uint16Array(1)] as never[]) {
    t.throws(() => producer.tryPush(wrong), { code: 'ERR_INVALID_ARG' })
    t.throws(() => producer.pushSync(wrong), { code: 'ERR_INVALID_ARG' })
    t.throws(() => producer.tryPushMany([none, wrong]), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(producer.push(wrong), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(producer.pushMany([none, wrong]), { code: 'ERR_INVALID_ARG' })
    t.throws(() => consumer.tryPopInto(wrong), { code: 'ERR_INVALID_ARG' })
    t.throws(() => consumer.popIntoSync(wrong), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(consumer.popInto(wrong), { code: 'ERR_INVALID_ARG' })
  }
  for (const wait of badAsyncWaits as never[]) {
    for (const refused of [producer.push(none, wait), consumer.pop(wait), consumer.popMany(1, wait)]) {
      await t.throwsAsync(refused, { code: 'ERR_INVALID_ARG' }, JSON.stringify(wait))
    }
  }
  for (const wait of badWaits as never[]) {
    t.throws(() => producer.pushSync(none, wait), { code: 'ERR_INVALID_ARG' })
    t.throws(() => consumer.popSync(wait), { code: 'ERR_INVALID_ARG' })
    t.throws(() => consumer.popManySync(1, wait), { code: 'ERR_INVALID_ARG' })
  }
  for (const max of badCounts as never[]) {
    t.throws(() => consumer.tryPopMany(max), { code: 'ERR_INVALID_ARG' })
    t.throws(() => consumer.popManySync(max), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(consumer.popMany(max), { code: 'ERR_INVALID_ARG' })
  }
  const holed: Uint8Array[] = []
  holed[1] = none
  for (const messages of [undefined, null, 'text', new Set([none]), Uint8Array.of(1), holed] as never[]) {
    t.throws(() => producer.tryPushMany(messages), { code: 'ERR_INVALID_ARG' })
    t.throws(() => producer.pushManySync(messages), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(producer.pushMany(messages), { code: 'ERR_INVALID_ARG' })
  }
  for (const length of [-1, 0.5, Number.NaN, '1', null] as never[]) {
    t.throws(() => producer.reserve(length), { code: 'ERR_INVALID_ARG' })
    if (length !== null) t.throws(() => producer.commit(length), { code: 'ERR_INVALID_ARG' })
  }
  t.true(queue.isEmpty)
})

test('if one of many messages is too large, none is put', async t => {
  using made = make(64)
  const { queue, producer } = made
  const messages = [filled(24), filled(25)]
  const refused = { code: 'ERR_TOO_LARGE', message: /nothing was put/ }
  t.throws(() => producer.tryPushMany(messages), refused)
  t.throws(() => producer.pushManySync(messages), refused)
  await t.throwsAsync(producer.pushMany(messages), refused)
  t.true(queue.isEmpty)
})

test('a message that is pushed ends a reservation', t => {
  using made = make(64)
  const { producer, consumer } = made
  producer.reserve(8)
  producer.pushSync(filled(1))
  t.throws(() => producer.commit(), { code: 'ERR_LOST_OWNERSHIP' })
  t.deepEqual(consumer.tryPopMany(2), [filled(1)])
})

test('a queue that its producer ended stays so for the next producer', t => {
  using made = make(64)
  const { queue, producer } = made
  producer.end()
  producer.end()
  producer.close()
  using next = queue.openProducer()
  t.true(queue.isEnded)
  t.throws(() => next.tryPush(none), { code: 'ERR_ENDED' })
})

test('waits are served in order, whatever ends the other waits', async t => {
  using made = make(64)
  const { producer, consumer } = made
  const controller = new AbortController()
  const aborted = consumer.pop({ signal: controller.signal })
  const gets = [consumer.pop(), consumer.popMany(1), consumer.pop({ timeout: 600_000 })] as const
  controller.abort()
  await t.throwsAsync(aborted, { any: true, name: 'AbortError' })
  await t.throwsAsync(consumer.pop({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => consumer.popSync({ timeout: 1 }), { code: 'ERR_TIMEOUT' })
  t.true(await isPending(Promise.race(gets)))
  producer.pushManySync(many(3))
  t.deepEqual(await Promise.all(gets), [numbered(0), [numbered(1)], numbered(2)])
  const puts = range(12).map(i => producer.push(numbered(i)))
  t.false(producer.tryPush(none))
  t.true(await isPending(puts[11] as Promise<void>))
  t.deepEqual(
    range(12).map(() => consumer.popSync()),
    many(12),
  )
  await Promise.all(puts)
})

test('a role is one agent’s, until it is closed', t => {
  const name = unique('roles')
  using queue = SpscQueue.create(name)
  {
    using _producer = SpscQueue.openProducer(name)
    using _consumer = SpscQueue.openConsumer(name)
    t.throws(() => queue.openProducer(), { code: 'ERR_BUSY', message: /living/ })
    t.throws(() => SpscQueue.openProducer(name), { code: 'ERR_BUSY' })
    t.throws(() => queue.openConsumer(), { code: 'ERR_BUSY' })
    t.throws(() => SpscQueue.openConsumer(name), { code: 'ERR_BUSY' })
  }
  using producer = queue.openProducer()
  producer.close()
  producer.close()
  const refusal = { code: 'ERR_CLOSED' }
  t.throws(() => producer.tryPush(none), refusal)
  t.throws(() => producer.end(), refusal)
  t.throws(() => producer.commit(), refusal)
  const consumer = queue.openConsumer()
  consumer.close()
  t.throws(() => consumer.tryPop(), refusal)
  t.throws(() => consumer.peek(), refusal)
  t.throws(() => consumer.release(), refusal)
  t.false(queue.isEnded, 'closing is not ending')
  t.throws(() => SpscQueue.openProducer(unique('none')), { code: 'ERR_NOT_FOUND' })
  t.throws(() => SpscQueue.openConsumer(unique('none')), { code: 'ERR_NOT_FOUND' })
})

test('closing ends the waits of that end', async t => {
  using queue = SpscQueue.create(null, { capacity: 64 })
  const [producer, consumer] = [queue.openProducer(), queue.openConsumer()]
  const getting = consumer.pop()
  consumer.close()
  await t.throwsAsync(getting, { code: 'ERR_CLOSED' })
  producer.pushManySync(many(4))
  const putting = producer.push(none)
  t.true(await isPending(putting))
  producer.close()
  await t.throwsAsync(putting, { code: 'ERR_CLOSED' })
  using next = queue.openConsumer()
  t.deepEqual(next.tryPopMany(9), many(4))
})

test('a message is written where it will lie, and shown there', t => {
  using made = make(64)
  const { producer, consumer } = made
  t.throws(() => producer.commit(), { code: 'ERR_LOST_OWNERSHIP' })
  t.throws(() => consumer.release(), { code: 'ERR_LOST_OWNERSHIP' })
  t.is(consumer.peek(), undefined)
  for (const i of range(10)) {
    producer.reserve(24)
    const room = producer.reserve(8) as Uint8Array
    room.fill(i)
    t.is(consumer.peek(), undefined)
    t.throws(() => producer.commit(9), { code: 'ERR_TOO_LARGE' })
    producer.commit(...(i % 2 ? [5] : []))
    t.throws(() => producer.commit(), { code: 'ERR_LOST_OWNERSHIP' })
    const shown = consumer.peek() as Uint8Array
    t.deepEqual(shown, filled(i % 2 ? 5 : 8, i))
    t.is(shown.buffer, room.buffer, 'nothing was copied')
    t.deepEqual(consumer.peek(), shown)
    consumer.release()
    t.throws(() => consumer.release(), { code: 'ERR_LOST_OWNERSHIP' })
  }
  t.true(producer.tryPushMany(many(9)) > 0)
  while (producer.tryPush(none));
  t.is(producer.reserve(8), undefined)
})

test('a message is copied into memory of the caller, or is the cause of the error', async t => {
  using made = make()
  const { producer, consumer } = made
  const room = filled(5, 0)
  t.is(consumer.tryPopInto(room), undefined)
  producer.pushManySync([filled(3), filled(5), none, filled(6), filled(7), filled(8)])
  t.deepEqual(
    [consumer.tryPopInto(room), await consumer.popInto(room), consumer.popIntoSync(room)],
    [3, 5, 0],
  )
  t.deepEqual(room, filled(5))
  const causes = [
    t.throws(() => consumer.tryPopInto(room), { code: 'ERR_TOO_LARGE' })?.cause,
    (await t.throwsAsync(consumer.popInto(room), { code: 'ERR_TOO_LARGE' }))?.cause,
    t.throws(() => consumer.popIntoSync(room), { code: 'ERR_TOO_LARGE' })?.cause,
  ]
  t.deepEqual(causes, [filled(6), filled(7), filled(8)])
})

for (const place of places) {
  test(`messages go there and back, with waits on both sides: ${place}`, async t => {
    using queue = SpscQueue.create(null, { capacity: 64 })
    const there = await startPeer(t, place)
    const far = await (await there.open(queue)).take('openProducer')
    t.throws(() => queue.openProducer(), { code: 'ERR_BUSY' })
    using consumer = queue.openConsumer()
    for (const how of ['push', 'pushSync', 'pushMany', 'pushManySync']) {
      const putting = await far.begin(how, how.includes('Many') ? many(20) : numbered(0))
      for (const i of how.includes('Many') ? range(20) : [0]) t.deepEqual(await consumer.pop(), numbered(i))
      await putting.result
    }
    const waits = range(50).map(() => consumer.pop())
    t.true(await isPending(Promise.race(waits)))
    await far.do('pushMany', many(50))
    t.deepEqual(await Promise.all(waits), many(50))
    await far.do('end')
    await t.throwsAsync(consumer.pop(), { code: 'ERR_ENDED' })
  })

  for (const how of ['pop', 'popSync']) {
    test(`a waiter in another agent is woken by a push, by the end and by unlink: ${how}, ${place}`, async t => {
      using queue = SpscQueue.create(null)
      using producer = queue.openProducer()
      const there = await startPeer(t, place)
      const far = await there.it('crossmem.SpscQueue').take('openConsumer', queue.name)
      const waiting = await far.begin(how)
      producer.pushSync(numbered(1))
      t.deepEqual(await waiting.result, numbered(1))
      const last = await far.begin(how)
      producer.end()
      producer.end()
      await t.throwsAsync(last.result, { code: 'ERR_ENDED' })
      t.true(queue.isEnded)
      t.throws(() => producer.tryPush(none), { code: 'ERR_ENDED' })
      t.throws(() => producer.pushSync(none), { code: 'ERR_ENDED' })
      t.throws(() => producer.reserve(1), { code: 'ERR_ENDED' })
      await t.throwsAsync(producer.push(none), { code: 'ERR_ENDED' })
      using unlinked = SpscQueue.create(null)
      const inVain = await (await (await there.open(unlinked)).take('openConsumer')).begin(how)
      unlinked.unlink()
      await t.throwsAsync(inVain.result, { code: 'ERR_NOT_FOUND' })
    })
  }

  test(`the roles of the dead are taken over, with everything that is in the ring: ${place}`, async t => {
    using queue = SpscQueue.create(null)
    for (const round of range(3)) {
      const doomed = await startPeer(t, place)
      const far = await doomed.open(queue)
      const [producer, consumer] = [await far.take('openProducer'), await far.take('openConsumer')]
      await producer.do('pushMany', many(10, 10 * round))
      await producer.do('reserve', 100)
      t.deepEqual(await consumer.do('pop'), numbered(7 * round))
      await consumer.do('peek')
      t.throws(() => queue.openConsumer(), { code: 'ERR_BUSY' })
      await doomed.kill()
      using mine = queue.openConsumer()
      t.deepEqual(mine.tryPopMany(6), many(6, 7 * round + 1), 'what was only peeked at comes again')
    }
    using producer = queue.openProducer()
    using consumer = queue.openConsumer()
    producer.pushSync(numbered(30))
    t.deepEqual(consumer.tryPopMany(99), many(10, 21))
  })

  test(`a waiter whose partner dies goes on with the next partner: ${place}`, async t => {
    using queue = SpscQueue.create(null, { capacity: 64 })
    const [first, second] = [await startPeer(t, place), await startPeer(t, place)]
    await (await first.open(queue)).take('openProducer')
    using consumer = queue.openConsumer()
    const waiting = consumer.pop()
    t.true(await isPending(waiting))
    await first.kill()
    const next = await (await second.open(queue)).take('openProducer')
    await next.do('push', numbered(1))
    t.deepEqual(await waiting, numbered(1))
  })
}

test('the end comes after all messages, and ends a loop', async t => {
  using made = make()
  const { queue, producer, consumer } = made
  producer.pushManySync(many(5))
  const seen: Uint8Array[] = []
  for await (const message of consumer) {
    seen.push(message)
    if (seen.length === 2) break
  }
  producer.end()
  for await (const message of consumer) seen.push(message)
  t.deepEqual(seen, many(5))
  t.is(consumer.tryPop(), undefined)
  t.throws(() => consumer.popSync(), { code: 'ERR_ENDED' })
  t.throws(() => consumer.popManySync(1), { code: 'ERR_ENDED' })
  await t.throwsAsync(consumer.popMany(1), { code: 'ERR_ENDED' })
  producer.close()
  consumer.close()
  using next = queue.openProducer()
  t.throws(() => next.tryPush(none), { code: 'ERR_ENDED' }, 'the end is for ever')
  using last = queue.openConsumer()
  await t.throwsAsync(last.pop(), { code: 'ERR_ENDED' })
})

test('an end that waits for room hears of the queue’s end', async t => {
  const made = make(64)
  const { producer } = made
  while (producer.tryPush(none));
  const waiting = producer.push(none)
  t.true(await isPending(waiting))
  producer.end()
  await t.throwsAsync(waiting, { code: 'ERR_ENDED' })
  made[Symbol.dispose]()
  t.false(list().some(({ name }) => name === made.queue.name))
})
