import '../helpers/domain.js'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads'
import test from 'ava'
import { type DTypeLike, NDArray, NDView, open, Queue, type Reference, SharedArray, Value } from 'crossmem'
import { unique } from '../helpers/domain.js'
import { hireUser } from '../processes/users.js'

/** Of each kind a dtype, a value, and what an array says of the dtype. */
const kinds: [given: DTypeLike, value: unknown, dtype: unknown][] = [
  ['M8[25s]', 5n, 'datetime64[25s]'],
  ['timedelta64[ns]', -5n, 'timedelta64[ns]'],
  ['S5', Buffer.from('abc'), 'S5'],
  ['<U5', 'a😀', 'U5'],
  ['bfloat16', -1.5, 'bfloat16'],
  ['float8_e5m2', 1.5, 'float8_e5m2'],
  [
    [
      ['id', '<i8'],
      ['px', 'float8_e4m3fn', 2],
      ['at', 'M8[s]'],
    ],
    { id: 7n, px: [1, 448], at: 1n },
    [
      ['id', 'int64'],
      ['px', 'float8_e4m3fn', [2]],
      ['at', 'datetime64[s]'],
    ],
  ],
  [
    { names: ['a', 'b'], formats: ['bool', ['U2', 2]], aligned: true },
    { a: true, b: ['q', ''] },
    [
      ['a', 'bool'],
      ['', 'V3'],
      ['b', 'U2', [2]],
    ],
  ],
]

test('arrays of times, strings, records and small floats are the same in another process', async t => {
  const other = await hireUser()
  for (const [given, value, dtype] of kinds) {
    for (const order of ['C', 'F'] as const) {
      using array = NDArray.create(unique('kinds'), { shape: [2, 3], dtype: given, order })
      array.set(1, 2, value as never)
      t.deepEqual(array.dtype as unknown, dtype)
      t.deepEqual(array.get(1, 2) as unknown, value)
      const reference = JSON.parse(JSON.stringify(array))
      t.is(await other.tell({ do: 'open', reference }), 'NDArray')
      const { strides, size, byteLength, shape } = array
      const text = String(array)
      const described = { shape, strides, dtype, order, size, byteLength, text }
      t.deepEqual(await other.tell({ do: 'describe' }), described as object)
      await other.tell({ do: 'write', at: 0, value: 1 })
      t.is(new Uint8Array(array.data.buffer, array.data.byteOffset)[0], 1)
      await other.tell({ do: 'close' })
    }
  }
  await other.kill()
})

test('files, copies, snapshots and openOrCreate keep the dtype', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'array.npy')
  for (const [given, value, dtype] of kinds) {
    const name = unique('kept')
    using array = NDArray.openOrCreate(name, { shape: 3, dtype: given, fill: value as never })
    using same = NDArray.openOrCreate(name, { shape: 3, dtype: given })
    t.deepEqual(same.toNested(), array.toNested())
    t.throws(() => NDArray.openOrCreate(name, { shape: 3, dtype: 'int32' }), { code: 'ERR_INVALID_ARG' })
    t.throws(() => NDArray.openOrCreate(name, { shape: 3, dtype: [['x', 'S99']] }), {
      code: 'ERR_INVALID_ARG',
    })
    await array.save(path)
    using loaded = await NDArray.load(path, { dtype: given })
    using copied = NDArray.from(null, array)
    using nested = NDArray.from(null, array.toNested() as never, { dtype: given })
    using raw = NDArray.from(null, array.snapshot() as Uint8Array, { dtype: given })
    const view = new NDView({ data: array.snapshot(), dtype: array.dtype, shape: [3] })
    for (const other of [loaded, copied, nested, raw, view]) {
      t.deepEqual(other.dtype as unknown, dtype)
      t.deepEqual(other.toNested() as unknown, [value, value, value])
    }
    const zipped = join(folder, 'arrays.npz')
    await NDArray.saveNpz(zipped, { a: array, b: array.subarray([1]) })
    const { a, b } = await NDArray.loadNpz(zipped, { dtypes: { a: given, b: given } })
    t.deepEqual([a?.toNested(), b?.toNested()] as unknown, [
      [value, value, value],
      [value, value],
    ])
    a?.close()
    b?.close()
  }
})

test('an array of raw bytes is opened as what its opener says, and as nothing else', async t => {
  const fill = { x: 1.5, y: 'ab' }
  using array = NDArray.create(unique('raw'), {
    shape: 2,
    dtype: [
      ['x', 'bfloat16'],
      ['y', 'S2'],
    ],
    fill,
  })
  const { name } = array
  t.throws(() => NDArray.open(name), {
    code: 'ERR_UNSUPPORTED',
    message: /in the field 'x' it is 2 raw bytes/,
  })
  t.throws(() => open(name), { code: 'ERR_UNSUPPORTED', message: /option dtype/ })
  using same = NDArray.open(name, { dtype: array.dtype })
  t.is(same.get(1).x, 1.5)
  for (const dtype of [
    'bfloat16',
    [['x', 'bfloat16']],
    [
      ['x', 'bfloat16'],
      ['y', 'U2'],
    ],
    'S4',
  ] as DTypeLike[])
    t.throws(() => NDArray.open(name, { dtype }), {
      code: 'ERR_INVALID_ARG',
      message: /the elements are of the dtype/,
    })
  const { port1, port2 } = new MessageChannel()
  port1.postMessage(array)
  for (const reference of [structuredClone(array), receiveMessageOnPort(port2)?.message, array.toJSON()]) {
    t.deepEqual(reference, { crossmem: 'NDArray', name, dtype: array.dtype })
    using opened = open(reference) as NDArray
    t.deepEqual(opened.toNested(), array.toNested() as never)
  }
  port1.close()
  for (const codec of ['msgpack', 'v8', 'json'] as const) {
    using queue = Queue.create<{ found: [Reference] }>(null, { codec })
    queue.putSync({ found: [array] })
    using opened = open(queue.getSync().found[0]) as NDArray
    t.deepEqual(opened.toNested(), array.toNested() as never, codec)
  }
  t.throws(() => open({ crossmem: 'NDArray', name, dtype: 5 } as never), { code: 'ERR_INVALID_ARG' })
  using numbers = NDArray.create(null, { shape: 1, dtype: 'float32' })
  using checked = NDArray.open(numbers.name, { dtype: '<f4' })
  t.is(checked.data.constructor, Float32Array)
  t.throws(() => NDArray.open(numbers.name, { dtype: 'int32' }), {
    code: 'ERR_INVALID_ARG',
    message: "the elements are of the dtype 'float32', not 'int32'",
  })
})

test('nested strings and Dates have dtypes of their own', t => {
  using names = NDArray.from(null, [['Ada'], ['😀😀😀😀']])
  t.deepEqual([names.dtype, names.shape, names.toNested()] as unknown, [
    'U4',
    [2, 1],
    [['Ada'], ['😀😀😀😀']],
  ])
  using dates = NDArray.from(null, [new Date(5), new Date(6)])
  t.deepEqual([dates.dtype, dates.toNested()] as unknown, ['datetime64[ms]', [5n, 6n]])
  using empty = NDArray.from(null, [''])
  t.is(empty.dtype, 'U1')
  for (const mixed of [
    ['a', 1],
    [new Date(0), 'a'],
    [1, new Date(0)],
  ])
    t.throws(() => NDArray.from(null, mixed), {
      code: 'ERR_INVALID_ARG',
      message: /^at \[1\]: .* among values/,
    })
})

test('a Value and a SharedArray hold numbers only, and say so', t => {
  for (const dtype of ['S8', 'U8', 'datetime64[s]', 'bfloat16', [['a', 'i4']]] as never[]) {
    t.throws(() => Value.create(null, dtype), { code: 'ERR_INVALID_ARG', message: /a dtype of numbers/ })
    t.throws(() => SharedArray.create(null, dtype, 1), {
      code: 'ERR_INVALID_ARG',
      message: /a dtype of numbers/,
    })
  }
})

test('after close, the views of fields say so', t => {
  const array = NDArray.create(null, {
    shape: 2,
    dtype: [
      ['a', 'i1'],
      ['b', 'f8'],
    ],
  })
  const [a, b] = [array.field('a'), array.field('b')]
  array.close()
  t.throws(() => array.field('a'), { code: 'ERR_CLOSED' })
  t.throws(() => a.get(0), { code: 'ERR_CLOSED' })
  t.throws(() => b.get(0), { code: 'ERR_CLOSED' })
  t.throws(() => b.set(0, 1), { code: 'ERR_CLOSED' })
})

test('records of foreign programs that make no sense read as something, or are refused', t => {
  using array = NDArray.create(null, {
    shape: 64,
    dtype: [
      ['flag', 'bool'],
      ['text', 'U2'],
      ['at', 'M8[s]'],
    ],
  })
  for (let i = 0; i < array.data.length; i++) array.data[i] = (i * 151 + 7) & 255
  t.is((array.toNested() as unknown[]).length, 64)
  t.true(String(array).length > 64)
  t.regex(array.get(3).text, /^\ufffd*$/)
})
