import '../helpers/domain.js'
import { ReadableStream } from 'node:stream/web'
import { Worker } from 'node:worker_threads'
import ava from 'ava'
import { CrossmemError, NDArray, NDView, open, RecordQueue } from 'crossmem'
import { testObject } from '../contracts/object.js'
import { testQueue } from '../contracts/queue.js'
import { type AnyQueue, range } from '../contracts/queue-class.js'
import { unique } from '../helpers/domain.js'
import { isPending } from '../helpers/pending.js'
import { crossmem, json } from '../processes/command.js'
import { places } from '../processes/hire.js'
import { startPeer } from '../processes/peers.js'

const test = ava.serial

const COUNTED = { dtype: [['i', '<i4']] } as const

/** The class, whose options are in one object, as one that takes them one after the other. */
const Merged = new Proxy(RecordQueue, {
  get: (Class, key) =>
    key === 'create'
      ? (name: string | null, options: object, more?: object) =>
          Class.create(name, { ...options, ...more } as typeof COUNTED)
      : Reflect.get(Class, key),
}) as unknown as typeof RecordQueue

testObject<RecordQueue>(
  Merged as never,
  [COUNTED],
  [
    queue => queue.put({ i: 1 }),
    queue => queue.putSync({ i: 1 }),
    queue => queue.tryPut({ i: 1 }),
    queue => queue.putMany([{ i: 1 }]),
    queue => queue.putManySync([{ i: 1 }]),
    queue => queue.tryPutMany([{ i: 1 }]),
    queue => queue.get(),
    queue => queue.getSync(),
    queue => queue.tryGet(),
    queue => queue.getMany(1),
    queue => queue.getManySync(1),
    queue => queue.tryGetMany(1),
    queue => queue.getBatch(1),
    queue => queue.getBatchSync(1),
    queue => queue.tryGetBatch(1),
    queue => queue.size,
    queue => queue.isEmpty,
    queue => queue.isFull,
    queue => queue.isEnded,
    queue => queue.end(),
    queue => queue[Symbol.asyncIterator]().next(),
  ],
)

testQueue({
  kind: 'RecordQueue',
  // A record is as long as its dtype says.
  create: ({ messageBytes: _, ...options } = {}) =>
    RecordQueue.create(null, { ...COUNTED, ...options }) as unknown as AnyQueue,
  put: 'put',
  get: 'get',
  item: i => ({ i }),
  mostCapacity: 2 ** 30,
  hasRecords: true,
})

const TICK = {
  dtype: [
    ['id', '<i8'],
    ['px', '<f8', [3]],
    ['sym', 'S8'],
  ],
  capacity: 8,
} as const
const tick = (i: number) => ({ id: BigInt(i), px: [i, i / 2, -i], sym: `s${i}` })
const read = (i: number) => ({ ...tick(i), sym: Buffer.from(`s${i}`) })
const columns = (from: number, length: number) => ({
  id: BigInt64Array.from(range(length, from), BigInt),
  px: Float64Array.from(range(length, from).flatMap(i => tick(i).px)),
  sym: range(length, from).map(i => `s${i}`),
})

test('records go in as objects, columns, arrays and views, and come out equal', t => {
  using queue = RecordQueue.create(null, TICK)
  using array = NDArray.create(null, { shape: 6, dtype: TICK.dtype })
  for (let i = 0; i < 6; i++) array.set(i, tick(i))
  const asText = {
    id: ['0', '1'].map(Number),
    px: [tick(0).px, tick(1).px],
    sym: Buffer.from('s0\0\0\0\0\0\0s1\0\0\0\0\0\0'),
  }
  for (const [many, first, count] of [
    [range(3).map(tick), 0, 3],
    [columns(0, 3), 0, 3],
    [asText, 0, 2],
    [array, 0, 6],
    [array.subarray([2, 5]), 2, 3],
    [array.subarray([4, 4]), 4, 0],
  ] as const) {
    queue.putManySync(many as never)
    t.deepEqual(queue.tryGetMany(99), range(count, first).map(read))
  }
  const every2nd = new NDView({ data: array.data, dtype: array.dtype, shape: [3], strides: [2] })
  queue.putManySync(every2nd)
  t.deepEqual(queue.tryGetMany(99), [0, 2, 4].map(read))
})

test('what is put is copied before a put waits', async t => {
  using queue = RecordQueue.create(null, { ...TICK, capacity: 1 })
  using array = NDArray.create(null, { shape: 3, dtype: TICK.dtype })
  for (let i = 0; i < 3; i++) array.set(i, tick(i))
  const record = tick(3)
  const puts = [queue.putMany(array), queue.put(record)]
  array.fill({ id: 0, px: [0, 0, 0], sym: '' })
  record.px.fill(0)
  const got: unknown[] = []
  for (let i = 0; i < 4; i++) got.push(await queue.get())
  await Promise.all(puts)
  const inOrder = got.sort((a, b) => Number((a as { id: bigint }).id - (b as { id: bigint }).id))
  t.deepEqual(inOrder, range(4).map(read))
})

test('a record or column that cannot be is refused, says why, and nothing is put', t => {
  using queue = RecordQueue.create(null, TICK)
  const refused: [unknown, RegExp][] = [
    [{ id: 1n, px: [1, 2, 3] }, /'sym' is missing/],
    [{ ...tick(1), more: 1 }, /no field 'more'/],
    [{ ...tick(1), id: 1.5 }, /'id'.*bigint or a safe integer/],
    [{ ...tick(1), px: [1, 2] }, /'px'.*array of length 3/],
    [{ ...tick(1), sym: 'too long for it' }, /'sym'.*too many for S8/],
    [[1], /fields id, px, sym/],
    [null, /fields id, px, sym/],
    [7, /fields id, px, sym/],
  ]
  for (const [record, message] of refused) {
    t.throws(() => queue.putSync(record as never), { code: 'ERR_INVALID_ARG', message })
    t.throws(() => queue.tryPut(record as never), { code: 'ERR_INVALID_ARG', message })
    const many = [tick(0), record] as never
    t.throws(() => queue.putManySync(many), { code: 'ERR_INVALID_ARG', message })
    t.throws(() => queue.tryPutMany(many), { code: 'ERR_INVALID_ARG', message: /record 1: / })
  }
  const { id, px, sym } = columns(0, 3)
  const wrong: [unknown, RegExp][] = [
    [{ id, px }, /'sym' is missing/],
    [{ id, px, sym, more: [] }, /no field 'more'/],
    [{ id, px, sym: ['a'] }, /'sym' has 1 records, and 'id' has 3/],
    [{ id, px: px.subarray(1), sym }, /3 elements for each record/],
    [{ id, px: new Float32Array(9), sym }, /'px' must be a Float64Array/],
    [{ id, px, sym: ['a', 'b', 7] }, /record 2 of the column 'sym'/],
    [{ id, px: [[1, 2, 3], [1], 3], sym }, /record 1 of the column 'px'/],
    [{ id, px, sym: 'abc' }, /'sym' is a typed array, or an array/],
    [new Float64Array(3), /records are an array/],
    [new NDView({ data: px, dtype: 'float64', shape: [9] }), /the dtype float64/],
  ]
  for (const [many, message] of wrong) {
    t.throws(() => queue.putManySync(many as never), { code: 'ERR_INVALID_ARG', message })
  }
  using array = NDArray.create(null, { shape: [2, 2], dtype: TICK.dtype })
  t.throws(() => queue.putManySync(array), { code: 'ERR_INVALID_ARG', message: /one axis/ })
  array.close()
  t.throws(() => queue.putManySync(array), { code: 'ERR_INVALID_ARG' })
  t.is(queue.size, 0)
})

test('a getter of a record may put another one', t => {
  using queue = RecordQueue.create(null, TICK)
  const nested = {
    ...tick(1),
    get px() {
      queue.putSync(tick(2))
      return tick(1).px
    },
  }
  queue.putSync(nested)
  t.deepEqual(queue.tryGetMany(9), [read(2), read(1)])
})

test('a getter that changes the array of records, or another column, changes no record', t => {
  using queue = RecordQueue.create(null, { dtype: [['a', '<i4'], ['b', '<i4']] }) // biome-ignore format: fields
  const shrinks = [
    {
      a: 1,
      get b() {
        shrinks.length = 1
        return 9
      },
    },
    { a: 4, b: 4 },
  ]
  t.throws(() => queue.putManySync(shrinks), { code: 'ERR_INVALID_ARG', message: /record 1: / })
  const grows = [
    {
      a: 1,
      get b() {
        grows.push({ a: 7, b: 7 })
        return 9
      },
    },
  ]
  queue.putManySync(grows)
  t.deepEqual(queue.tryGetMany(9), [{ a: 1, b: 9 }])

  const b = Int32Array.of(5, 6)
  const a = [1, 2]
  Object.defineProperty(a, 1, {
    get() {
      structuredClone(b, { transfer: [b.buffer] })
      return 2
    },
  })
  queue.putManySync({ a, b })
  t.is(b.length, 0)
  t.deepEqual(queue.tryGetMany(9), [
    { a: 1, b: 5 },
    { a: 2, b: 6 },
  ])
})

test('fields of a record are its own and enumerable, in any order', t => {
  using queue = RecordQueue.create(null, { dtype: [['a', '<i4'], ['b', '<i4']] }) // biome-ignore format: fields
  queue.putSync({ b: 2, a: 1 })
  t.deepEqual(queue.tryGet(), { a: 1, b: 2 })
  class Hidden {
    typo = 5
    b = 1
    get a() {
      return this.typo
    }
  }
  const inherited = Object.assign(Object.create({ a: 7 }), { b: 1 })
  const typo = Object.assign(Object.create(Object.defineProperty({}, 'a', { value: 7 })), { b: 1, typo: 2 })
  for (const record of [new Hidden(), typo]) {
    t.throws(() => queue.putSync(record), { code: 'ERR_INVALID_ARG', message: /no field 'typo'/ })
  }
  // As an array takes it.
  queue.putSync(inherited)
  t.deepEqual(queue.tryGet(), { a: 7, b: 1 })
})

test('a closed array is not put', t => {
  using queue = RecordQueue.create(null, TICK)
  const array = NDArray.create(null, { shape: 2, dtype: TICK.dtype })
  array.close()
  t.throws(() => queue.putManySync(array), { code: 'ERR_CLOSED' })
  t.is(queue.size, 0)
})

test('a dtype that cannot be is refused', t => {
  for (const dtype of [undefined, null, 'float64', '<f8', [], [['x']], 7, [['x', '<f9']]]) {
    t.throws(() => RecordQueue.create(null, { dtype } as never), { code: 'ERR_INVALID_ARG' }, String(dtype))
  }
  t.throws(() => RecordQueue.create(null, undefined as never), { code: 'ERR_INVALID_ARG' })
  t.throws(() => RecordQueue.create(null, { dtype: [['x', '>f8']] } as never), { code: 'ERR_UNSUPPORTED' })
})

test('a queue keeps its dtype: others are refused when it is opened', t => {
  const name = unique('dtype')
  using queue = RecordQueue.openOrCreate(name, TICK)
  using other = RecordQueue.open(name)
  t.deepEqual(other.dtype as unknown, queue.dtype)
  using same = RecordQueue.open(name, {
    dtype: { names: ['id', 'px', 'sym'], formats: ['i8', ['f8', 3], 'S8'] },
  })
  using again = RecordQueue.openOrCreate(name, { ...TICK, capacity: 99 })
  t.deepEqual([same.capacity, again.capacity], [8, 8])
  const wrong = [['id', '<i8']] as const
  t.throws(() => RecordQueue.open(name, { dtype: wrong }), {
    code: 'ERR_INVALID_ARG',
    message: /are of the dtype \[\["id","int64"\],.*\], not \[\["id","int64"\]\]$/,
  })
  t.throws(() => RecordQueue.openOrCreate(name, { dtype: wrong }), { code: 'ERR_INVALID_ARG' })
})

test('the reference of a queue of small floats says what they are', t => {
  using queue = RecordQueue.create(null, { dtype: [['x', 'bfloat16']] })
  t.throws(() => RecordQueue.open(queue.name), { code: 'ERR_UNSUPPORTED' })
  queue.putSync({ x: 1.5 })
  for (const sent of [JSON.parse(JSON.stringify(queue)), structuredClone(queue)]) {
    using opened = open(sent) as unknown as RecordQueue
    t.deepEqual(opened.dtype, [['x', 'bfloat16']])
  }
  t.deepEqual(queue.getSync(), { x: 1.5 })
})

test('all kinds of fields come back as an array has them', t => {
  const dtype = {
    names: ['flag', 'odd', 'deep', 'name', 'when', 'half', 'z'],
    formats: [
      'b1',
      '<u2',
      [
        ['a', 'u1'],
        ['b', '<f4', [2, 2]],
      ],
      'U3',
      'M8[ms]',
      '<f2',
      '<c16',
    ],
    titles: ['the flag', null, null, null, null, null, null],
  } as const
  const record = {
    flag: true,
    odd: 65_535,
    deep: {
      a: 7,
      b: [
        [1, 2],
        [3, 4],
      ],
    },
    name: 'äöü',
    when: 5n,
    half: 0.5,
    z: [1, -1],
  }
  using queue = RecordQueue.create(null, { dtype, capacity: 2 })
  queue.putSync(record as never)
  t.deepEqual(queue.getSync() as unknown, record)
  const lists = Object.fromEntries(Object.entries(record).map(([name, value]) => [name, [value, value]]))
  queue.putManySync(lists as never)
  using batch = queue.getBatchSync(9)
  t.deepEqual(batch.records.toNested() as unknown[], batch.length === 2 ? [record, record] : [record])
})

test('a batch shows records in the ring, up to its end, until it is released', t => {
  using queue = RecordQueue.create(null, TICK)
  t.is(queue.tryGetBatch(9), undefined)
  queue.putManySync(columns(0, 6))
  t.is(queue.getManySync(6).length, 6)
  queue.putManySync(columns(0, 5))
  const batch = queue.getBatchSync(1024)
  t.deepEqual([batch.length, batch.first], [2, 6], 'it ends at the end of the ring')
  t.deepEqual(batch.records.toNested() as unknown[], [read(0), read(1)])
  t.deepEqual(batch.get(1) as unknown, read(1))
  t.deepEqual(batch.field('px').toNested(), [tick(0).px, tick(1).px])
  t.deepEqual(batch.column('px'), Float64Array.of(0, 0, -0, 1, 0.5, -1))
  t.deepEqual(batch.column('id'), BigInt64Array.of(0n, 1n))
  t.is(Buffer.from(batch.column('sym')).toString('latin1'), 's0\0\0\0\0\0\0s1\0\0\0\0\0\0')
  t.is(batch.records.data.buffer, batch.field('id').data.buffer, 'they show the queue itself')
  for (const wrong of [() => batch.field('x' as never), () => batch.column('x' as never)]) {
    t.throws(wrong, { code: 'ERR_INVALID_ARG', message: /fields are id, px, sym/ })
  }
  t.throws(() => batch.get(2), { code: 'ERR_OUT_OF_RANGE' })
  t.is(queue.size, 5, 'they are in the queue')
  batch.release()
  batch.release()
  t.is(queue.size, 3)
  for (const late of [
    () => batch.records,
    () => batch.field('id'),
    () => batch.column('id'),
    () => batch.get(0),
  ]) {
    t.throws(late, { code: 'ERR_LOST_OWNERSHIP', message: /released/ })
  }
  t.throws(() => JSON.stringify(batch), { code: 'ERR_INVALID_ARG' })
  {
    using next = queue.getBatchSync(2)
    t.deepEqual([next.length, next.first], [2, 0])
  }
  t.deepEqual(queue.tryGetMany(9), [read(4)])
})

test('columns of a packed dtype, whose elements are not aligned, are copied whole', t => {
  using queue = RecordQueue.create(null, {
    dtype: [
      ['a', 'u1'],
      ['b', '<f8'],
      ['c', '<i2', [2]],
    ],
  })
  const c = Int16Array.of(1, 2, 3, 4, 5, 6)
  queue.putManySync({ a: Uint8Array.of(1, 2, 3), b: Float64Array.of(0.1, 0.2, 0.3), c })
  using batch = queue.getBatchSync(9)
  t.false(batch.field('b').isAligned)
  t.deepEqual(batch.column('a'), Uint8Array.of(1, 2, 3))
  t.deepEqual(batch.column('b'), Float64Array.of(0.1, 0.2, 0.3))
  t.deepEqual(batch.column('c'), c)
})

test('while a batch is held, producers go on and other consumers wait', async t => {
  using queue = RecordQueue.create(null, TICK)
  using other = RecordQueue.open(queue.name)
  queue.putManySync(columns(0, 4))
  const batch = await queue.getBatch(2)
  const waits = [other.get(), queue.getBatch(9)] as const
  t.is(other.tryGet(), undefined)
  t.deepEqual(other.tryGetMany(9), [])
  for (const blocking of [() => other.getSync(), () => queue.getBatchSync(1), () => queue.getManySync(1)]) {
    t.throws(blocking, { code: 'ERR_DEADLOCK' })
  }
  queue.putManySync(columns(4, 4))
  t.true(queue.isFull)
  t.false(queue.tryPut(tick(9) as never))
  t.true(await isPending(Promise.race(waits)))
  batch.release()
  t.deepEqual((await waits[0]) as unknown, read(2))
  using rest = await waits[1]
  t.deepEqual(rest.records.toNested() as unknown[], range(5, 3).map(read))
})

test('a batch of a handle that is closed stays in the queue', t => {
  using queue = RecordQueue.create(null, TICK)
  queue.putManySync(columns(0, 3))
  const other = RecordQueue.open(queue.name)
  const batch = other.getBatchSync(2)
  other.close()
  for (const late of [() => batch.release(), () => batch.records, () => batch[Symbol.dispose]()]) {
    t.throws(late, { code: 'ERR_LOST_OWNERSHIP', message: /closed/ })
  }
  t.deepEqual(queue.getManySync(9), range(3).map(read))
})

for (const place of places) {
  test(`a batch of a ${place} that was killed goes to the next consumer, whole`, async t => {
    using queue = RecordQueue.create(null, TICK)
    queue.putManySync(columns(0, 5))
    const there = await startPeer(t, place)
    const far = await there.open(queue)
    t.is(await (await far.take('getBatchSync', 3)).do('length'), 3)
    t.is(queue.tryGet(), undefined, 'it has the end')
    const waiting = queue.getBatch(9)
    t.true(await isPending(waiting))
    await there.kill()
    using batch = await waiting
    t.deepEqual(batch.records.toNested() as unknown[], range(5).map(read))
  })

  test(`a batch that a ${place} releases is out, and a waiter here gets the rest: ${place}`, async t => {
    using queue = RecordQueue.create(null, TICK)
    queue.putManySync(columns(0, 5))
    const there = await startPeer(t, place)
    const batch = await (await there.open(queue)).take('getBatch', 3)
    const waiting = queue.getMany(9)
    t.true(await isPending(waiting))
    await batch.do('release')
    t.deepEqual(await waiting, range(2, 3).map(read))
  })
}

test('a queue that is used in a worker works after the worker ended', async t => {
  using queue = RecordQueue.create(null, TICK)
  queue.putManySync(columns(0, 2))
  const worker = new Worker(
    `const { workerData, parentPort } = require('node:worker_threads')
     const { open } = require('crossmem')
     const batch = open(workerData).getBatchSync(1)
     parentPort.postMessage(batch.length)`,
    { eval: true, workerData: queue.toJSON() },
  )
  const [[length]] = await Promise.all([
    new Promise<[number]>(done => worker.on('message', length => done([length]))),
    new Promise(done => worker.on('exit', done)),
  ])
  t.is(length, 1)
  t.deepEqual(await queue.getMany(9), range(2).map(read))
})

test('a transferred buffer is refused, and the queue works through other handles', async t => {
  using queue = RecordQueue.create(null, TICK)
  const there = await startPeer(t, 'process')
  const far = await there.open(queue)
  queue.putManySync(columns(0, 2))
  const batch = queue.getBatchSync(1)
  // A byte stream takes the buffers of its chunks.
  const { data } = batch.records
  new ReadableStream({ type: 'bytes', start: stream => stream.enqueue(data as Uint8Array<ArrayBuffer>) })
  t.is(data.length, 0)
  for (const call of [() => queue.putSync(tick(1) as never), () => queue.tryPut(tick(1) as never)]) {
    t.throws(call, { code: 'ERR_DETACHED' })
  }
  t.throws(() => batch.column('id'), { code: 'ERR_DETACHED' })
  batch.release()
  t.throws(() => queue.getSync(), { code: 'ERR_DETACHED' })
  t.is(await far.do('size'), 2, 'nothing was taken')
  t.is(await (await far.take('getBatchSync', 9)).do('length'), 2)
})

test('a description that makes no sense is refused', t => {
  using queue = RecordQueue.create(null, TICK)
  queue.putSync(tick(0))
  const batch = queue.getBatchSync(1)
  const words = new Uint8Array(batch.records.data.buffer)
  batch.release()
  const at = words.indexOf(0x93)
  for (const [offset, byte] of [
    [at, 0],
    [at + 8, 255],
    [at + 30, 0],
  ] as const) {
    const before = words[offset] as number
    words[offset] = byte
    const error = t.throws(() => RecordQueue.open(queue.name), { instanceOf: CrossmemError })
    t.true(['ERR_CORRUPT', 'ERR_UNSUPPORTED'].includes(error?.code as string), error?.message)
    words[offset] = before
  }
  RecordQueue.open(queue.name).close()
})

test('a header that is overwritten while the queue is open leads nowhere beyond its memory', t => {
  using queue = RecordQueue.create(null, { ...COUNTED, capacity: 4 })
  queue.putManySync(range(4).map(i => ({ i })))
  const batch = queue.getBatchSync(1)
  const params = new BigUint64Array(batch.records.data.buffer, 24, 2)
  batch.release()
  queue.putSync({ i: 4 })
  // Room for 16 records of a byte: as many bytes as there are.
  params.set([16n, 1n])
  t.is(queue.tryPutMany(range(12).map(i => ({ i }))), 4)
  params.set([4n, 4n])
  t.throws(() => queue.tryGet(), { code: 'ERR_CORRUPT' }, 'eight records where there is room for four')
})

test('crossmem inspect shows the dtype, and who holds a batch', async t => {
  using queue = RecordQueue.create(null, TICK)
  queue.putManySync(columns(0, 3))
  using batch = queue.getBatchSync(2)
  t.is(batch.length, 2)
  const { data } = await json('inspect', queue.name)
  const { records, holders } = data as { records: object; holders: { pid: number; count: number }[] }
  t.deepEqual(records, { dtype: queue.dtype, capacity: 8, size: 3 })
  t.deepEqual(
    holders.map(({ pid, count }) => [pid, count]),
    [[process.pid, 1]],
  )
  const { stdout } = await crossmem('inspect', queue.name)
  t.regex(stdout, /^dtype {2,}\[\["id","int64"\],\["px","float64",\[3\]\],\["sym","S8"\]\]$/m)
  t.regex(stdout, /^state {2,}3 of 8$/m)
  t.regex(stdout, new RegExp(`^held {2,}consumer: ${process.pid}$`, 'm'))
})
