import '../helpers/domain.js'
import { ReadableStream, type ReadableStreamBYOBReader } from 'node:stream/web'
import { format } from 'node:util'
import ava from 'ava'
import { MpmcQueue, NDArray, NDView, SharedArray, SharedMemory, SpscQueue } from 'crossmem'

const test = ava.serial
const detached = { code: 'ERR_DETACHED', message: /has another owner now.*slice/ }

/** Passes a view on as a byte stream does: whoever reads it owns its buffer. */
function pass(view: Uint8Array): void {
  new ReadableStream({ type: 'bytes', start: controller => controller.enqueue(view) })
}

/** Lets a byte stream read into a view. */
async function readInto(view: Uint8Array): Promise<void> {
  const source = new ReadableStream({
    type: 'bytes',
    start: controller => controller.enqueue(Uint8Array.of(7)),
  })
  const reader = source.getReader({ mode: 'byob' }) as ReadableStreamBYOBReader
  await reader.read(view)
}

const bytesOf = ({ buffer }: ArrayBufferView) => new Uint8Array(buffer as ArrayBuffer)

test('an NDArray says where its buffer went, and snapshot and save still work', async t => {
  const array = NDArray.from(null, [1, 2, 3])
  const row = array.subarray([1])
  const { buffer } = array
  pass(bytesOf(array.data))
  t.is(buffer.byteLength, 0)
  const uses: (() => unknown)[] = [
    () => array.data,
    () => array.buffer,
    () => array.get(0),
    () => array.set(0, 1),
    () => array.fill(1),
    () => array.subarray(0),
    () => array.toNested(),
    () => String(array),
    () => array.update(() => t.fail()),
    () => row.get(0),
    () => row.subarray([1]).get(0),
  ]
  for (const use of uses) t.throws(use, detached, String(use))
  await t.throwsAsync(
    array.withLock(() => t.fail()),
    detached,
  )
  t.is(format(array), `NDArray (transferred) { name: '${array.name}' }`)
  t.is(format(row), 'NDView float64 [2] (transferred)')
  t.deepEqual(array.snapshot(), Float64Array.of(1, 2, 3))
  using again = NDArray.open<'float64'>(array.name)
  t.deepEqual(again.toNested(), [1, 2, 3])
  again.update(data => data.fill(5))
  t.deepEqual(array.snapshot(), Float64Array.of(5, 5, 5))
  array.close()
  t.throws(() => array.data, { code: 'ERR_CLOSED' })
  t.throws(() => row.get(0), { code: 'ERR_CLOSED' })
  t.is(format(row), 'NDView float64 [2] (closed)')
  t.deepEqual(again.toNested(), [5, 5, 5])
})

test('an array without elements is no transferred one', t => {
  using array = NDArray.create(null, { shape: [0, 3] })
  using row = SharedArray.create(null, 'int32', 0)
  t.is(array.data.length, 0)
  t.is(array.subarray().size, 0)
  t.deepEqual(row.toArray(), [])
  t.is(
    row.update(data => data.length),
    0,
  )
})

test('a view of own memory says that it is gone', t => {
  const view = new NDView({ data: Uint8Array.of(1, 2), dtype: 'uint8', shape: [2] })
  pass(view.data)
  t.throws(() => view.get(0), { code: 'ERR_CLOSED', message: /closed, or its ArrayBuffer transferred/ })
})

test('a SharedMemory says where its buffer went', async t => {
  using memory = SharedMemory.create(null, 100)
  await readInto(memory.bytes)
  t.throws(() => memory.bytes, detached)
  t.throws(() => memory.buffer, detached)
  using again = SharedMemory.open(memory.name)
  t.is(again.bytes[0], 7)
  t.is(memory.byteLength, 100)
})

for (const moment of ['before the lock was used', 'after it', 'while the lock is held'] as const) {
  test(`a SharedArray says where its buffer went, and its lock works: ${moment}`, async t => {
    const array = SharedArray.create(null, 'int32', [1, 2, 3], { persist: true })
    if (moment === 'after it') array.lockSync().release()
    const guard = moment === 'while the lock is held' ? array.lockSync() : undefined
    pass(bytesOf(array.data))
    guard?.release()
    const uses: (() => unknown)[] = [
      () => array.data,
      () => array.at(0),
      () => array.set(0, 1),
      () => array.toArray(),
      () => array.update(() => t.fail()),
    ]
    for (const use of uses) t.throws(use, detached, String(use))
    for (let i = 0; i < 2; i++) array.lockSync().release()
    await array.withLock(() => t.is(array.tryLock(), undefined))
    t.throws(() => SharedArray.open(array.name), detached, 'all handles of the thread share the buffer')
    array.close()
    using again = SharedArray.open<'int32'>(array.name)
    t.deepEqual(again.toArray(), [1, 2, 3])
    again.unlink()
  })
}

test('an MpmcQueue says where its buffer went, and no message is lost', t => {
  using queue = MpmcQueue.create(null, { capacity: 3, messageBytes: 100 })
  queue.pushSync(Uint8Array.of(1, 2))
  const room = queue.reserve(5) as Uint8Array
  pass(bytesOf(room))
  t.throws(() => queue.commit(room), detached)
  queue.cancel(room)
  for (let i = 0; i < 10; i++) {
    t.throws(() => queue.reserve(5), detached)
    t.throws(() => queue.peek(), detached)
  }
  queue.pushSync(Uint8Array.of(3))
  queue.pushSync(Uint8Array.of(4))
  t.deepEqual(
    [1, 2, 3].map(() => [...queue.popSync()]),
    [[1, 2], [3], [4]],
  )
})

test('an SpscQueue says where its buffer went, and no message is lost', t => {
  using queue = SpscQueue.create(null)
  const producer = queue.openProducer()
  const consumer = queue.openConsumer()
  producer.pushSync(Uint8Array.of(1, 2))
  pass(bytesOf(consumer.peek() as Uint8Array))
  for (let i = 0; i < 3; i++) {
    t.throws(() => consumer.peek(), detached)
    t.throws(() => producer.reserve(5), detached)
  }
  producer.pushSync(Uint8Array.of(3))
  t.deepEqual([[...consumer.popSync()], [...consumer.popSync()]], [[1, 2], [3]])
  for (const end of [producer, consumer]) end.close()
})
