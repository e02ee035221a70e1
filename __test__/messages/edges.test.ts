import '../helpers/domain.js'
import ava from 'ava'
import { type CrossmemError, list, MpmcQueue, Pipe, Queue, SpscQueue } from 'crossmem'

const test = ava.serial
const filled = (length: number, value = 7): Uint8Array => new Uint8Array(length).fill(value)
const code = (error: unknown): string => (error as CrossmemError).code

test('a large message that could not wait is finished all the same, before the next one', async t => {
  const [a, b] = Pipe.create({ capacity: 1024 })
  const large = a.sendBytes(filled(10_000), { timeout: 0 })
  const small = a.sendBytes(filled(3, 9))
  t.throws(() => a.sendSync(1), { code: 'ERR_BUSY' })
  t.deepEqual([await b.recvBytes(), await b.recvBytes()], [filled(10_000), filled(3, 9)])
  await Promise.all([large, small])
  a.sendSync('again')
  t.is(b.recvSync(), 'again')
  for (const end of [a, b]) end.close()
})

test('after a large message that was never received, sending fails because the pipe has ended', async t => {
  const [a, b] = Pipe.create({ capacity: 1024 })
  const large = a.sendBytes(filled(10_000))
  b.close()
  t.is(await large.catch(code), 'ERR_ENDED')
  t.throws(() => a.sendSync(1), { code: 'ERR_ENDED' })
  a.close()
})

test('an end that was given back pushes nothing more', async t => {
  using queue = SpscQueue.create(null, { capacity: 64 })
  const producer = queue.openProducer()
  const consumer = queue.openConsumer()
  const pushing = producer.pushMany([1, 2, 3, 4, 5, 6, 7, 8].map(value => filled(8, value)))
  consumer.popSync()
  producer.close()
  t.is(await pushing.catch(code), 'ERR_CLOSED')
  using next = queue.openProducer()
  const { usedBytes } = queue
  await new Promise(setImmediate)
  t.is(queue.usedBytes, usedBytes)
  t.true(consumer.tryPopMany(10).length > 0)
  t.true(next.tryPush(filled(1)))
  consumer.close()
})

test('messages behind one that can’t be decoded are not lost', async t => {
  const decode = (bytes: Uint8Array): string => {
    const text = Buffer.from(bytes).toString()
    if (text === 'bad') throw new Error('bad')
    return text
  }
  using queue = Queue.create<string>(null, { codec: { encode: text => Buffer.from(text), decode } })
  queue.putManySync(['a', 'b', 'bad', 'c', 'd'])
  t.deepEqual(await queue.getMany(10), ['a', 'b'])
  t.is(await queue.getMany(10).catch(code), 'ERR_CORRUPT')
  t.deepEqual(queue.getManySync(10), ['c', 'd'])
  t.true(queue.isEmpty)
})

test('a batch takes out a record that is larger than the pad', t => {
  using queue = SpscQueue.create(null, { capacity: 1 << 20 })
  using producer = queue.openProducer()
  using consumer = queue.openConsumer()
  t.is(producer.tryPushMany([filled(1), filled(100_000), filled(2)]), 3)
  t.deepEqual(
    [...consumer.tryPopMany(10), ...consumer.tryPopMany(10), ...consumer.tryPopMany(10)].map(
      ({ length }) => length,
    ),
    [1, 100_000, 2],
  )
})

test('a reservation is void when something was pushed before it', t => {
  using queue = SpscQueue.create(null, { capacity: 1024 })
  using producer = queue.openProducer()
  using consumer = queue.openConsumer()
  producer.reserve(8)?.fill(1)
  t.is(producer.tryPushMany([filled(4, 2), filled(4, 3)]), 2)
  t.throws(() => producer.commit(), { code: 'ERR_LOST_OWNERSHIP' })
  consumer.peek()
  t.deepEqual(consumer.tryPop(), filled(4, 2))
  t.throws(() => consumer.release(), { code: 'ERR_LOST_OWNERSHIP' })
  t.deepEqual(consumer.tryPop(), filled(4, 3))
  producer.reserve(8)
  producer.end()
  t.throws(() => producer.commit(), { code: 'ERR_ENDED' })
})

test('large messages of an unlinked queue go with it', t => {
  const before = list().length
  const queue = MpmcQueue.create(null, { messageBytes: 8 })
  queue.pushSync(filled(1000))
  t.is(list().length, before + 1)
  queue.unlink()
  t.deepEqual(queue.popSync(), filled(1000))
  queue.pushSync(filled(1000))
  queue.close()
  t.is(list().length, before)
})

test('a value whose encoding and decoding use queues travels whole', t => {
  using log = Queue.create<string>(null)
  const codec = {
    encode: (value: number) => {
      log.putSync(`put ${value}`)
      return Buffer.from(String(value))
    },
    decode: (bytes: Uint8Array) => {
      log.putSync('got one')
      return Number(Buffer.from(bytes).toString())
    },
  }
  using queue = Queue.create<number>(null, { codec })
  queue.putManySync([1, 2, 3])
  t.deepEqual(queue.tryGetMany(3), [1, 2, 3])
  t.is(log.size, 6)
})
