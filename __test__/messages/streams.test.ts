import '../helpers/domain.js'
import { Readable } from 'node:stream'
import { ReadableStream, TransformStream, WritableStream } from 'node:stream/web'
import ava from 'ava'
import { JoinableQueue, Pipe, Queue } from 'crossmem'
import { range } from '../contracts/queue-class.js'
import { isPending } from '../helpers/pending.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

test('closing the stream into a queue ends it; the stream out of it ends with it', async t => {
  for (const queue of [Queue.create<number>(null), JoinableQueue.create<number>(null)]) {
    using _ = queue
    t.true(queue.readable instanceof ReadableStream && queue.writable instanceof WritableStream)
    t.is(queue.readable, queue.readable)
    t.is(queue.writable, queue.writable)
    const writer = queue.writable.getWriter()
    for (const i of range(3)) await writer.write(i)
    t.false(queue.isEnded)
    await writer.close()
    t.true(queue.isEnded)
    const seen: number[] = []
    for await (const value of queue.readable) seen.push(value)
    t.deepEqual(seen, range(3))
  }
})

test('nothing is taken out before the reader asks for it', async t => {
  using queue = Queue.create<number>(null)
  queue.putManySync(range(5))
  const reader = queue.readable.getReader()
  await new Promise(setImmediate)
  t.is(queue.size, 5)
  t.deepEqual(await reader.read(), { done: false, value: 0 })
  t.is(queue.size, 4)
  reader.releaseLock()
  for await (const value of queue.readable) {
    t.is(value, 1)
    break
  }
  t.is(queue.size, 3, 'breaking out of the loop takes nothing')
})

test('cancelling ends the wait of the stream, and takes nothing', async t => {
  using queue = Queue.create<number>(null)
  const reader = queue.readable.getReader()
  const reading = reader.read()
  t.true(await isPending(reading))
  await reader.cancel('enough')
  t.deepEqual(await reading, { done: true, value: undefined })
  queue.putSync(1)
  await new Promise(setImmediate)
  t.is(await queue.get(), 1)
})

test('aborting the stream into a queue takes back its waiting messages, and doesn’t end the queue', async t => {
  using queue = Queue.create<number>(null, { capacity: 1 })
  const writer = queue.writable.getWriter()
  await writer.write(0)
  const writing = writer.write(1)
  const reason = new Error('enough')
  t.true(await isPending(writing))
  await Promise.allSettled([writer.abort(reason), writing])
  await t.throwsAsync(writer.write(2), { is: reason })
  t.false(queue.isEnded)
  t.is(queue.getSync(), 0)
  t.is(queue.tryGet(), undefined)
})

test('errors come through: a value that can’t be encoded, a closed queue', async t => {
  const queue = Queue.create<unknown>(null)
  const writer = queue.writable.getWriter()
  await t.throwsAsync(
    writer.write(() => 1),
    { code: 'ERR_INVALID_ARG' },
  )
  const reader = queue.readable.getReader()
  const reading = reader.read()
  t.true(await isPending(reading))
  queue.close()
  await t.throwsAsync(reading, { code: 'ERR_CLOSED' })
})

test('node:stream reads from a queue and is written into one', async t => {
  using source = Queue.create<number>(null, { capacity: 4 })
  using sink = Queue.create<number>(null, { capacity: 4 })
  const doubled = new TransformStream<number, number>({
    transform: (value, controller) => controller.enqueue(2 * value),
  })
  const filling = (Readable.toWeb(Readable.from(range(100))) as ReadableStream<number>).pipeTo(
    source.writable,
  )
  const piping = source.readable.pipeThrough(doubled).pipeTo(sink.writable)
  const seen: number[] = []
  for await (const value of Readable.from(sink.readable)) seen.push(value as number)
  await Promise.all([filling, piping])
  t.deepEqual(
    seen,
    range(100).map(i => 2 * i),
  )
})

for (const place of places) {
  test(`a stream into a full queue waits for readers elsewhere: ${place}`, async t => {
    using queue = Queue.create<number>(null, { capacity: 2 })
    const there = await startPeer(t, place)
    const far = await there.open(queue)
    let asked = 0
    const source = new ReadableStream<number>(
      {
        pull: controller => {
          if (asked === 50) controller.close()
          else controller.enqueue(asked++)
        },
      },
      { highWaterMark: 0 },
    )
    const piping = source.pipeTo(queue.writable)
    t.true(await isPending(piping))
    t.true(asked < 10, `${asked} were asked for`)
    for (const i of range(50)) t.is(await far.do('get'), i)
    await piping
    await t.throwsAsync(far.do('get'), { code: 'ERR_ENDED' })
  })

  test(`a pipe streams both ways, and ends with its stream: ${place}`, async t => {
    const there = await startPeer(t, place)
    const [mine, yours] = Pipe.create<number>({ capacity: 64 })
    const far = await there.open(yours)
    const echo = await there.it('deeds').begin('echo', far)
    t.true(mine.readable instanceof ReadableStream && mine.writable instanceof WritableStream)
    const writer = mine.writable.getWriter()
    const reader = mine.readable.getReader()
    for (const i of range(100)) {
      await writer.write(i)
      t.deepEqual(await reader.read(), { done: false, value: i })
    }
    await writer.close()
    await echo.result
    t.throws(() => mine.sendSync(1), { code: 'ERR_ENDED' })
    t.true((await reader.read()).done)
    mine.close()
    yours.close()
  })
}

test('the stream out of a pipe ends when the other end is closed', async t => {
  const [a, b] = Pipe.create<number>()
  const seen: number[] = []
  const reading = (async () => {
    for await (const value of a.readable) seen.push(value)
  })()
  for (const i of range(3)) await b.send(i)
  await b.writable.close()
  await reading
  t.deepEqual(seen, range(3))
  a.close()
})
