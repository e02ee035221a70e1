import '../helpers/domain.js'
import ava from 'ava'
import { MpmcQueue } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { testQueue } from '../contracts/queue.js'
import {
  type AnyQueue,
  badWaits,
  killHolder,
  range,
  spilledBytes,
  untilGivenBack,
} from '../contracts/queue-class.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial
const none = new Uint8Array()

testObject(
  MpmcQueue,
  [],
  [
    queue => queue.tryPush(none),
    queue => queue.push(none),
    queue => queue.pushSync(none),
    queue => queue.tryPushMany([none]),
    queue => queue.pushMany([none]),
    queue => queue.pushManySync([none]),
    queue => queue.tryPop(),
    queue => queue.pop(),
    queue => queue.popSync(),
    queue => queue.tryPopMany(1),
    queue => queue.popMany(1),
    queue => queue.popManySync(1),
    queue => queue.tryPopInto(none),
    queue => queue.popInto(none),
    queue => queue.popIntoSync(none),
    queue => queue.tryReceive(),
    queue => queue.receive(),
    queue => queue.receiveSync(),
    queue => queue.reserve(0),
    queue => queue.commit(none),
    queue => queue.cancel(none),
    queue => queue.peek(),
    queue => queue.release(none),
    queue => queue.size,
    queue => queue.isEmpty,
    queue => queue.isFull,
    queue => queue.isEnded,
    queue => queue.end(),
    queue => queue[Symbol.asyncIterator]().next(),
  ],
)

/** Four bytes that say which one it is. */
const numbered = (i: number): Uint8Array => new Uint8Array(Int32Array.of(i).buffer)
const filled = (length: number, byte = 7): Uint8Array => new Uint8Array(length).fill(byte)

testQueue({
  kind: 'MpmcQueue',
  create: options => MpmcQueue.create(null, options) as unknown as AnyQueue,
  put: 'push',
  get: 'pop',
  item: numbered,
})

test('a value that is no message is refused, and nothing is put', async t => {
  using queue = MpmcQueue.create(null)
  for (const wrong of ['text', 1, undefined, null, [1], new ArrayBuffer(1), new Uint16Array(1)] as never[]) {
    t.throws(() => queue.tryPush(wrong), { code: 'ERR_INVALID_ARG', message: /Uint8Array/ })
    t.throws(() => queue.pushSync(wrong), { code: 'ERR_INVALID_ARG' })
    t.throws(() => queue.tryPushMany([none, wrong]), { code: 'ERR_INVALID_ARG' })
    t.throws(() => queue.pushManySync([none, wrong]), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(queue.push(wrong), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(queue.pushMany([none, wrong]), { code: 'ERR_INVALID_ARG' })
    t.throws(() => queue.tryPopInto(wrong), { code: 'ERR_INVALID_ARG' })
    t.throws(() => queue.popIntoSync(wrong), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(queue.popInto(wrong), { code: 'ERR_INVALID_ARG' })
  }
  const holed: Uint8Array[] = []
  holed[1] = none
  t.throws(() => queue.tryPushMany(holed), { code: 'ERR_INVALID_ARG' })
  t.true(queue.isEmpty)
  t.throws(() => MpmcQueue.create(null, { spill: 1 as never }), { code: 'ERR_INVALID_ARG' })
})

for (const messageBytes of [0, 1, 7, 8, 2048, 65_536, 65_537, 1 << 20]) {
  test(`messages of every size around ${messageBytes} bytes`, async t => {
    using queue = MpmcQueue.create(null, { capacity: 4, messageBytes })
    const sizes = [0, 1, messageBytes - 1, messageBytes, messageBytes + 1, 3 * messageBytes]
    for (const size of sizes.filter(size => size >= 0)) {
      const message = filled(size)
      const got: Uint8Array[] = []
      queue.pushSync(message)
      got.push(queue.popSync())
      await queue.push(message)
      got.push(await queue.pop())
      queue.pushManySync([message, none, message])
      const [first, second, third] = queue.popManySync(3) as [Uint8Array, Uint8Array, Uint8Array]
      got.push(first, third)
      t.is(second.length, 0)
      queue.pushSync(message)
      using received = queue.receiveSync()
      got.push(received.value)
      t.true(
        got.every(one => Buffer.compare(one, message) === 0),
        `${size}`,
      )
    }
    await untilGivenBack(queue)
    t.is(spilledBytes(), 0)
  })
}

test('a message of 16 MiB goes to another process and back', async t => {
  using queue = MpmcQueue.create(null, { capacity: 2 })
  const there = await startPeer(t, 'process')
  const far = await there.open(queue)
  const message = filled(16 << 20)
  message.set(numbered(123_456_789), message.length - 4)
  await queue.push(message)
  t.is(spilledBytes(), 16 << 20)
  await there.it('deeds').do('passOn', far)
  const back = await queue.pop()
  t.is(Buffer.compare(back, message), 0)
  t.is(spilledBytes(), 0)
})

test('large messages go with their queue, and with processes that die', async t => {
  const queue = MpmcQueue.create(null, { messageBytes: 8 })
  queue.pushManySync([filled(100), filled(100), filled(100)])
  t.is(spilledBytes(), 3 * 4096)
  await killHolder(t, queue as unknown as AnyQueue, far => far.do('peek'))
  await killHolder(t, queue as unknown as AnyQueue, far => far.do('receive'))
  t.deepEqual(await queue.pop(), filled(100))
  await t.throwsAsync(queue.pop({ timeout: 300 }), { code: 'ERR_TIMEOUT' })
  t.is(spilledBytes(), 0)
  queue.pushSync(filled(100))
  queue.close()
  t.is(spilledBytes(), 0)
})

test('without spill, larger messages are refused', async t => {
  using queue = MpmcQueue.create(null, { messageBytes: 8, spill: false })
  queue.pushSync(filled(8))
  t.throws(() => queue.pushSync(filled(9)), { code: 'ERR_TOO_LARGE', message: /9 bytes/ })
  t.throws(() => queue.tryPush(filled(9)), { code: 'ERR_TOO_LARGE' })
  await t.throwsAsync(queue.push(filled(1 << 20)), { code: 'ERR_TOO_LARGE' })
  const messages = [none, filled(9)]
  const refused = { code: 'ERR_TOO_LARGE', message: /nothing was put/ }
  t.throws(() => queue.tryPushMany(messages), refused)
  t.throws(() => queue.pushManySync(messages), refused)
  await t.throwsAsync(queue.pushMany(messages), refused)
  t.deepEqual(queue.tryPopMany(9), [filled(8)])
})

test('a message is copied into memory of the caller, or is the cause of the error', async t => {
  using queue = MpmcQueue.create(null, { messageBytes: 8 })
  const room = filled(10, 0)
  t.is(queue.tryPopInto(room), undefined)
  queue.pushManySync([filled(3, 1), filled(10, 2), none, filled(11, 3), filled(12, 4), filled(13, 5)])
  t.is(queue.tryPopInto(room), 3)
  t.deepEqual(room, Uint8Array.of(1, 1, 1, 0, 0, 0, 0, 0, 0, 0))
  t.is(await queue.popInto(room), 10)
  t.is(queue.popIntoSync(room), 0)
  t.deepEqual(room, filled(10, 2))
  const causes = [
    t.throws(() => queue.tryPopInto(room), { code: 'ERR_TOO_LARGE' })?.cause,
    (await t.throwsAsync(queue.popInto(room), { code: 'ERR_TOO_LARGE' }))?.cause,
    t.throws(() => queue.popIntoSync(room), { code: 'ERR_TOO_LARGE' })?.cause,
  ]
  t.deepEqual(causes, [filled(11, 3), filled(12, 4), filled(13, 5)])
  t.deepEqual(room, filled(10, 2), 'nothing was written')
  t.true(queue.isEmpty)
  for (const wait of badWaits as never[]) {
    t.throws(() => queue.popIntoSync(room, wait), { code: 'ERR_INVALID_ARG' })
    await t.throwsAsync(queue.popInto(room, wait), { code: 'ERR_INVALID_ARG' })
  }
  t.throws(() => queue.popIntoSync(room, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
  await t.throwsAsync(queue.popInto(room, { timeout: 1 }), { code: 'ERR_TIMEOUT' })
})

test('messages that were got share nothing with the queue', t => {
  using queue = MpmcQueue.create(null, { capacity: 2, messageBytes: 4 })
  const got: Uint8Array[] = []
  for (const i of range(100)) {
    const message = numbered(i)
    queue.pushSync(message)
    message.fill(0xff)
    got.push(i % 2 ? queue.popSync() : (queue.tryPopMany(1)[0] as Uint8Array))
  }
  t.deepEqual(got, range(100).map(numbered))
})

test('a message is written where it will lie, and shown there', t => {
  using queue = MpmcQueue.create(null, { capacity: 3, messageBytes: 8 })
  const rooms = range(3).map(() => queue.reserve(8) as Uint8Array)
  t.is(queue.reserve(0), undefined, 'there is no room')
  t.true(queue.isEmpty)
  const [first, second, third] = rooms as [Uint8Array, Uint8Array, Uint8Array]
  for (const [i, room] of rooms.entries()) room.fill(i + 1)
  queue.commit(second)
  queue.commit(first, 2)
  queue.cancel(third)
  t.is(queue.size, 2)
  for (const used of [first, second, third, filled(8)]) {
    t.throws(() => queue.commit(used), { code: 'ERR_LOST_OWNERSHIP' })
    t.throws(() => queue.cancel(used), { code: 'ERR_LOST_OWNERSHIP' })
  }
  const shown = [queue.peek() as Uint8Array, queue.peek() as Uint8Array] as const
  t.deepEqual(shown, [filled(8, 2), filled(2, 1)])
  t.is(shown[0].buffer, first.buffer, 'nothing was copied')
  t.is(queue.peek(), undefined)
  t.true(queue.tryPush(none))
  t.false(queue.tryPush(none), 'what is shown has its place')
  queue.release(shown[1])
  t.true(queue.tryPush(filled(1)))
  t.deepEqual(shown[0], filled(8, 2))
  queue.release(shown[0])
  for (const used of [...shown, filled(8)]) {
    t.throws(() => queue.release(used), { code: 'ERR_LOST_OWNERSHIP' })
  }
  t.deepEqual(queue.tryPopMany(3), [none, filled(1)])
  for (const length of [-1, 9, 0.5, Number.NaN, '1', null] as never[]) {
    t.throws(() => queue.reserve(length), { code: 'ERR_INVALID_ARG' }, String(length))
  }
  const small = queue.reserve(4) as Uint8Array
  for (const length of [-1, 5, 0.5, null] as never[]) {
    t.throws(() => queue.commit(small, length), { code: 'ERR_INVALID_ARG' }, String(length))
  }
  queue.commit(small, 0)
  t.deepEqual(queue.peek(), none)
  queue.end()
  t.throws(() => queue.reserve(1), { code: 'ERR_ENDED' })
})

test('a large message is shown, too', t => {
  using queue = MpmcQueue.create(null, { messageBytes: 8 })
  queue.pushSync(filled(1000))
  const shown = queue.peek() as Uint8Array
  t.deepEqual(shown, filled(1000))
  queue.release(shown)
  t.is(spilledBytes(), 0)
})

test('after the end, an earlier reservation can be committed, and readers get the message', async t => {
  using queue = MpmcQueue.create(null)
  const room = queue.reserve(1) as Uint8Array
  queue.end()
  const waiting = queue.pop()
  t.true(await isPending(waiting), 'something may still come')
  queue.commit(room.fill(1))
  t.deepEqual(await waiting, filled(1, 1))
  await t.throwsAsync(queue.pop(), { code: 'ERR_ENDED' })
})

for (const how of ['pop', 'popSync']) {
  test(`a reservation that is cancelled after the end wakes the waiting reader: ${how}`, async t => {
    using queue = MpmcQueue.create(null)
    const there = await startPeer(t, 'process')
    const room = queue.reserve(1) as Uint8Array
    queue.end()
    const waiting = await (await there.open(queue)).begin(how)
    queue.cancel(room)
    await t.throwsAsync(waiting.result, { code: 'ERR_ENDED' })
  })
}

for (const place of places) {
  test(`the chunks of an agent that is gone are free again, reserved or read, while others use the queue: ${place}`, async t => {
    using queue = MpmcQueue.create(null, { capacity: 4, messageBytes: 8 })
    const [doomed, bystander] = [await startPeer(t, place), await startPeer(t, place)]
    await bystander.open(queue)
    const far = await doomed.open(queue)
    queue.pushManySync([none, none])
    await far.do('peek')
    await far.do('receive')
    await far.do('reserve', 1)
    await far.do('reserve', 1)
    t.deepEqual([queue.tryPush(none), queue.reserve(1), queue.size], [false, undefined, 0])
    const waiting = queue.pushMany([none, none, none, none])
    t.true(await isPending(waiting))
    await doomed.kill()
    await waiting
    t.true(queue.isFull)
  })

  for (const redeliver of [false, true]) {
    test(`a message that a killed ${place} was not done with ${redeliver ? 'comes again' : 'is lost'}`, async t => {
      using queue = MpmcQueue.create(null, { redeliver, messageBytes: 8 })
      t.is(queue.redeliver, redeliver)
      const [doomed, bystander] = [await startPeer(t, place), await startPeer(t, place)]
      await bystander.open(queue)
      const far = await doomed.open(queue)
      queue.pushManySync([...range(4).map(numbered), filled(100)])
      const taken = [await far.take('receive'), await far.take('receiveSync'), await far.take('tryReceive')]
      await taken[1]?.do('release')
      await far.do('peek')
      await far.do('peek')
      t.true(queue.isEmpty)
      const waiting = queue.receive()
      t.true(await isPending(waiting))
      await doomed.kill()
      if (!redeliver) {
        queue.pushSync(numbered(9))
        const { value, redelivered } = await waiting
        t.deepEqual({ value, redelivered }, { value: numbered(9), redelivered: false })
        // A receiver without a message finds what the dead left.
        await t.throwsAsync(queue.pop({ timeout: 300 }), { code: 'ERR_TIMEOUT' })
      } else {
        const first = await waiting
        const again = [first, ...range(3).map(() => queue.receiveSync())]
        t.deepEqual(
          again.map(({ redelivered }) => redelivered),
          [true, true, true, true],
        )
        const values = again.map(({ value }) => (value.length === 100 ? 100 : value[0]))
        t.deepEqual(values.sort(), [0, 100, 2, 3])
        for (const message of again) message.release()
      }
      t.true(queue.isEmpty)
      t.is(spilledBytes(), 0)
    })
  }

  test(`a redelivering queue has ended when other agents are done with their messages: ${place}`, async t => {
    using queue = MpmcQueue.create(null, { redeliver: true })
    const there = await startPeer(t, place)
    const far = await there.open(queue)
    queue.pushManySync([none, none])
    const held = [await far.take('receive'), await far.take('receive')]
    queue.end()
    const waiting = queue.pop()
    t.true(await isPending(waiting))
    await held[0]?.do('release')
    t.true(await isPending(waiting))
    await held[1]?.do('release')
    await t.throwsAsync(waiting, { code: 'ERR_ENDED' })
  })
}

test('a loop over one that redelivers is done with a message when it asks for the next', async t => {
  using queue = MpmcQueue.create(null, { redeliver: true, capacity: 1 })
  const seen: number[] = []
  queue.pushSync(numbered(0))
  for await (const message of queue) {
    seen.push(message[0] as number)
    t.false(queue.tryPush(none), 'it has its place')
    if (seen.length === 3) break
    void queue.push(numbered(seen.length))
  }
  t.deepEqual(seen, [0, 1, 2])
  t.true(queue.tryPush(none), 'leaving the loop is being done, too')
})

test('closing a handle gives back the messages that it holds', async t => {
  const queue = MpmcQueue.create(null, { redeliver: true })
  using other = MpmcQueue.open(queue.name)
  const there = await startPeer(t, 'process')
  const far = await there.open(queue)
  queue.pushManySync(range(2).map(numbered))
  const message = queue.receiveSync()
  const shown = other.peek() as Uint8Array
  t.is(await far.do('tryReceive'), undefined)
  queue.close()
  t.true(await (await far.take('receive')).do('redelivered'))
  t.is(await far.do('tryReceive'), undefined)
  other.close()
  t.true(await (await far.take('receive')).do('redelivered'))
  t.throws(() => message.release(), { code: 'ERR_LOST_OWNERSHIP' })
  t.is(shown.length, 0)
})

test('openOrCreate takes it as it was made', t => {
  const name = unique('made')
  using _queue = MpmcQueue.create(name, { capacity: 3, messageBytes: 5, redeliver: true })
  using again = MpmcQueue.openOrCreate(name, { capacity: 7 })
  t.deepEqual([again.capacity, again.messageBytes, again.redeliver], [3, 5, true])
  using byDefault = MpmcQueue.create(null)
  t.deepEqual([byDefault.capacity, byDefault.messageBytes, byDefault.redeliver], [1024, 2048, false])
})
