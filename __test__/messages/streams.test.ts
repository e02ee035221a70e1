import '../helpers/domain.js'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
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

/** Ways to leave a Node stream after three values. Each returns what it has seen. */
const leaving: Record<string, (stream: Readable) => Promise<number[]>> = {
  async 'a break'(stream) {
    const seen: number[] = []
    for await (const value of stream) if (seen.push(value) === 3) break
    return seen
  },
  async 'a break after a while'(stream) {
    const seen: number[] = []
    for await (const value of stream) {
      await new Promise(setImmediate)
      if (seen.push(value) === 3) break
    }
    return seen
  },
  async 'a pipeline that fails'(stream) {
    const seen: number[] = []
    const sink = new Writable({
      objectMode: true,
      highWaterMark: 1,
      write: (value, _, done) => void setImmediate(done, seen.push(value) === 3 ? new Error('full') : null),
    })
    await pipeline(stream, sink).catch(() => undefined)
    return seen
  },
  async 'destroy() in a listener'(stream) {
    const seen: number[] = []
    stream.on('data', value => {
      if (seen.push(value) === 3) stream.destroy()
    })
    await new Promise(resolve => stream.on('close', resolve))
    return seen
  },
}

for (const [way, leave] of Object.entries(leaving)) {
  for (const redeliver of [false, true]) {
    test(`a Node stream of a queue that is left by ${way} has lost nothing, redeliver: ${redeliver}`, async t => {
      using queue = Queue.create<number>(null, { redeliver })
      queue.putManySync(range(100))
      const seen = await leave(queue.toNodeReadable())
      t.deepEqual(seen, range(3))
      t.deepEqual(await leave(queue.toNodeReadable()), [3, 4, 5], 'a second stream goes on')
      t.deepEqual(queue.tryGetMany(100), range(100).slice(6))
    })
  }
}

test('a Node stream of a queue ends with the queue, and takes nothing before it is asked', async t => {
  using queue = Queue.create<number>(null)
  queue.putManySync(range(50))
  const stream = queue.toNodeReadable()
  await new Promise(setImmediate)
  t.is(queue.size, 50)
  queue.end()
  t.deepEqual(await stream.toArray(), range(50))
  const late = queue.toNodeReadable()
  t.deepEqual(await late.toArray(), [])
})

test('a value that arrives while a stream is being left is put back', async t => {
  using queue = Queue.create<number>(null)
  const stream = queue.toNodeReadable()
  stream.on('data', () => t.fail())
  await new Promise(setImmediate)
  queue.putSync(1)
  stream.destroy()
  t.is(await queue.get(), 1)

  const reader = queue.readable.getReader()
  const reading = reader.read()
  await new Promise(setImmediate)
  queue.putSync(2)
  await reader.cancel()
  t.true((await reading).done)
  t.is(await queue.get(), 2)

  using tasks = JoinableQueue.create<number>(null)
  const work = tasks.toNodeReadable()
  work.on('data', () => t.fail())
  await new Promise(setImmediate)
  tasks.putSync(3)
  work.destroy()
  t.is(await tasks.get(), 3)
  tasks.taskDone()
  await tasks.join()
  t.is(tasks.unfinished, 0)
})

test('with redeliver, a Node stream holds a value until the next one is asked for', async t => {
  using queue = Queue.create<number>(null, { redeliver: true, capacity: 2 })
  queue.putManySync([1, 2])
  const values = queue.toNodeReadable()[Symbol.asyncIterator]()
  t.is((await values.next()).value, 1)
  t.false(queue.tryPut(3), 'its slot is taken')
  t.is((await values.next()).value, 2)
  t.true(queue.tryPut(3))
  await values.return?.()
  t.true(queue.tryPut(4), 'leaving finishes the last one')
  t.deepEqual(queue.tryGetMany(2), [3, 4])
})

test('a Node stream refuses null, which would end it, and puts it back', async t => {
  using queue = Queue.create<unknown>(null)
  for (const value of [null, undefined]) {
    queue.putSync(1)
    queue.putSync(value)
    const seen: unknown[] = []
    const reading = (async () => {
      for await (const item of queue.toNodeReadable()) seen.push(item)
    })()
    await t.throwsAsync(reading, { code: 'ERR_UNSUPPORTED', message: /can't carry (null|undefined)/ })
    t.deepEqual(seen, [1])
    t.is(await queue.get(), value)
  }
})

test('a Node stream of a queue that is closed fails', async t => {
  const queue = Queue.create<number>(null)
  const reading = queue.toNodeReadable().toArray()
  t.true(await isPending(reading))
  queue.close()
  await t.throwsAsync(reading, { code: 'ERR_CLOSED' })
  t.throws(() => queue.toNodeReadable(), { code: 'ERR_CLOSED' })
})

test('a Node stream of a pipe takes what it is asked for, and ends with the other end', async t => {
  const [a, b] = Pipe.create<number>()
  for (const i of range(10)) b.sendSync(i)
  for await (const value of a.toNodeReadable()) if (value === 3) break
  t.is(a.recvSync(), 4)
  b.close()
  t.deepEqual(await a.toNodeReadable().toArray(), [5, 6, 7, 8, 9])
  a.close()
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
