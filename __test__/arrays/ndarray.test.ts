import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import ava from 'ava'
import {
  CrossmemError,
  list,
  NDArray,
  NDView,
  type NumericDType,
  open,
  type Scalar,
  SharedMemory,
} from 'crossmem'
import { encodeNpyHeader } from '../../src/npy/header.js'
import { unique } from '../helpers/domain.js'
import { fixture } from '../helpers/paths.js'
import { random } from '../helpers/random.js'
import { gone, message, start } from '../processes/children.js'
import { hireUser } from '../processes/users.js'

const test = ava.serial
const dtypes: NumericDType[] = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'int64',
  'uint64',
  'float16',
  'float32',
  'float64',
  'complex64',
  'complex128',
]
const shapes = [[], [0], [5], [2, 3], [3, 0, 2], [2, 3, 4], [1, 2, 3, 2], [2, 1, 2, 1, 3], [2, 2, 1, 2, 1, 3]]

const scalar = (dtype: NumericDType, i: number): Scalar => {
  if (dtype === 'bool') return i % 3 === 0
  if (dtype.endsWith('64') && dtype.includes('int')) return BigInt(i)
  return dtype.startsWith('complex') ? [i, i / 2] : i
}

/** Calls `visit` with every index of the shape. */
function eachIndex(shape: readonly number[], visit: (index: number[]) => void, index: number[] = []): void {
  if (index.length === shape.length) {
    visit(index)
    return
  }
  for (let i = 0; i < (shape[index.length] as number); i++) eachIndex(shape, visit, [...index, i])
}

test('every dtype, order and shape is the same array in another process', async t => {
  const other = await hireUser()
  for (const dtype of dtypes) {
    for (const order of ['C', 'F'] as const) {
      for (const shape of shapes) {
        using array = NDArray.create(null, { shape, dtype, order })
        let next = 0
        eachIndex(shape, index => array.set(...index, scalar(dtype, next++) as never))
        t.is(await other.tell({ do: 'open', reference: array.toJSON() }), 'NDArray')
        const { strides, size, byteLength } = array
        t.deepEqual(await other.tell({ do: 'describe' }), {
          shape,
          strides,
          dtype,
          order,
          size,
          byteLength,
          text: String(array),
        })
        if (byteLength > 0) {
          const last = byteLength - 1
          await other.tell({ do: 'write', at: last, value: 1 })
          const { data } = array
          t.is(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)[last], 1)
        }
        await other.tell({ do: 'close' })
      }
    }
  }
  await other.kill()
})

test('a reader of a gigabyte does not grow by a gigabyte', async t => {
  using array = NDArray.create(null, { shape: [1 << 30], dtype: 'uint8' })
  array.data[(1 << 30) - 1] = 5
  const other = await hireUser()
  const before = await other.tell({ do: 'rss' })
  await other.tell({ do: 'open', reference: array.toJSON() })
  t.is(await other.tell({ do: 'read', at: (1 << 30) - 1 }), 5)
  t.true((await other.tell({ do: 'rss' })) - before < 64 << 20)
  await other.kill()
})

test('data is a plain built-in typed array on one plain buffer', t => {
  using array = NDArray.create(null, { shape: [2, 3], dtype: 'float64' })
  t.is(Object.getPrototypeOf(array.data), Float64Array.prototype)
  t.is(array.data, array.data)
  t.is(array.data.buffer, array.buffer)
  t.is(array.data.byteOffset % 64, 0)
  t.is(array.data.length, 6)
})

test('fill, and the element itself', t => {
  for (const dtype of dtypes) {
    using array = NDArray.create(null, { shape: [100, 7], dtype, fill: scalar(dtype, 3) as never })
    t.deepEqual(array.get(99, 6), scalar(dtype, 3) as never)
    t.deepEqual(array.get(0, 0), scalar(dtype, 3) as never)
  }
  t.throws(() => NDArray.create(null, { shape: [2], dtype: 'int64', fill: 'x' as never }), {
    code: 'ERR_INVALID_ARG',
  })
})

test('arguments that make no array are refused', t => {
  const name = unique('refused')
  const create = (options: unknown) => () => NDArray.create(name, options as never)
  const bad = [
    undefined,
    null,
    {},
    { shape: [-1] },
    { shape: [1.5] },
    { shape: [Number.NaN] },
    { shape: [2 ** 40, 2 ** 40] },
    { shape: [2 ** 60, 0] },
    { shape: '3' },
    { shape: [2], dtype: 'float31' },
    { shape: [2], dtype: 'object' },
    { shape: [2], order: 'K' },
    { shape: new Array(65).fill(1) },
    { shape: [2], persist: 1 },
  ]
  for (const options of bad) t.throws(create(options), { code: 'ERR_INVALID_ARG' }, JSON.stringify(options))
  t.throws(create({ shape: [2 ** 45] }), { code: 'ERR_NO_SPACE' })
  t.false(list().some(object => object.name === name))
  using memory = SharedMemory.create(name, 100)
  t.throws(() => NDArray.open(name), { code: 'ERR_WRONG_KIND' })
  t.throws(create({ shape: [2] }), { code: 'ERR_EXISTS' })
  using array = NDArray.create(null, { shape: [2] })
  t.throws(() => SharedMemory.open(array.name), { code: 'ERR_WRONG_KIND' })
  t.is(memory.bytes.length, 100)
})

test('from takes typed arrays, nested arrays, views and .npy bytes', t => {
  using typed = NDArray.from(null, Float32Array.of(1, 2, 3, 4, 5, 6), { shape: [2, 3] })
  t.is(typed.dtype, 'float32')
  t.deepEqual(typed.toNested(), [
    [1, 2, 3],
    [4, 5, 6],
  ])
  using fortran = NDArray.from(
    null,
    [
      [1, 2, 3],
      [4, 5, 6],
    ],
    { dtype: 'int16', order: 'F' },
  )
  t.deepEqual([...(fortran.data as Int16Array)], [1, 4, 2, 5, 3, 6])
  using view = NDArray.from(null, fortran.subarray(null, [1, 3]))
  t.deepEqual(view.toNested(), [
    [2, 3],
    [5, 6],
  ])
  using complex = NDArray.from(null, Float64Array.of(1, 2, 3, 4), { dtype: 'complex128' })
  t.deepEqual(complex.toNested(), [
    [1, 2],
    [3, 4],
  ])
  using empty = NDArray.from(null, [[], []])
  t.deepEqual(empty.shape, [2, 0])
  using buffer = NDArray.from(null, Buffer.from('abc'))
  t.is(buffer.dtype, 'uint8')
  using shared = NDArray.from(null, new Int32Array(new SharedArrayBuffer(8)).fill(3))
  t.deepEqual([...(shared.data as Int32Array)], [3, 3])
  for (const [source, options] of [
    [Float32Array.of(1, 2, 3), { shape: [2] }],
    [Float32Array.of(1), { dtype: 'float64' }],
    [Float32Array.of(1, 2, 3), { dtype: 'complex64' }],
    [[[1], [2, 3]], {}],
    [[1, 'x'], {}],
    [new Map(), {}],
    [undefined, {}],
  ] as const) {
    t.throws(() => NDArray.from(null, source as never, options as never), { code: 'ERR_INVALID_ARG' })
  }
})

test('raw bits in a Uint16Array are float16 in every runtime', t => {
  const bits = Uint16Array.of(0x3e00, 0xc000)
  using array = NDArray.from(null, bits, { dtype: 'float16' })
  t.deepEqual(array.toNested(), [1.5, -2])
  using again = NDArray.from(null, array.data as Uint16Array, { dtype: 'float16', shape: [2, 1] })
  t.deepEqual(again.toNested(), [[1.5], [-2]])
  const view = new NDView({ data: bits, dtype: 'float16', shape: [2] })
  view.set(0, 1)
  t.is(bits[0], 0x3c00)
  t.is(view.data.buffer, bits.buffer)
  for (const refused of [Int16Array.of(1), Float32Array.of(1)])
    t.throws(() => NDArray.from(null, refused, { dtype: 'float16' }), { code: 'ERR_INVALID_ARG' })
})

test('from and NDView take typed arrays and buffers of another realm', t => {
  const foreign = runInNewContext('[Float32Array.of(1, 2), Float32Array.of(3).buffer, [[5], [6]]]')
  const [typed, , nested] = foreign as [Float32Array, ArrayBuffer, number[][]]
  using array = NDArray.from(null, typed)
  t.deepEqual(array.toNested(), [1, 2])
  const view = new NDView({ data: typed, dtype: 'float32', shape: [2] })
  view.set(1, 9)
  t.is(typed[1], 9)
  t.is(Object.getPrototypeOf(view.data), Float32Array.prototype)
  using lists = NDArray.from(null, nested)
  t.deepEqual(lists.toNested(), [[5], [6]])
  const header = encodeNpyHeader({ dtype: 'uint8', shape: [0] })
  const bytes = runInNewContext('bytes => Uint8Array.from(bytes).buffer')(header) as ArrayBuffer
  using npy = NDArray.from(null, bytes)
  t.deepEqual([npy.dtype, npy.shape], ['uint8', [0]])
})

test('openOrCreate makes it once, and refuses another layout', t => {
  const name = unique('both')
  const options = { shape: [2, 3], dtype: 'int16', fill: 4 } as const
  using first = NDArray.openOrCreate(name, options)
  using second = NDArray.openOrCreate(name, options)
  first.set(0, 0, 9)
  t.deepEqual([second.get(0, 0), second.get(1, 2)], [9, 4])
  for (const other of [{ shape: [3, 2] }, { dtype: 'int32' }, { order: 'F' }] as const) {
    t.throws(() => NDArray.openOrCreate(name, { ...options, ...other }), { code: 'ERR_INVALID_ARG' })
  }
  t.is(first.get(0, 0), 9)
})

test('load and save round trip through a file, and refuse a broken file', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'crossmem-'))
  const path = join(folder, 'array.npy')
  t.teardown(() => rmSync(folder, { recursive: true }))
  for (const dtype of dtypes) {
    using array = NDArray.create(null, { shape: [3, 4], dtype, order: 'F', fill: scalar(dtype, 1) as never })
    await array.save(path)
    using loaded = await NDArray.load(path)
    t.deepEqual([loaded.dtype, loaded.order, loaded.shape], [dtype, 'F', [3, 4]])
    t.deepEqual(loaded.toNested(), array.toNested())
    const bytes = readFileSync(path)
    using again = NDArray.from(null, bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    t.deepEqual(again.toNested(), array.toNested())
    writeFileSync(path, bytes.subarray(0, bytes.length - 1))
    const error = await t.throwsAsync(NDArray.load(path), { instanceOf: CrossmemError })
    t.is(error?.code, 'ERR_CORRUPT')
  }
  await t.throwsAsync(NDArray.load(join(folder, 'missing.npy')), { code: 'ENOENT' })
  const name = unique('loaded')
  writeFileSync(path, 'not an array')
  await t.throwsAsync(NDArray.load(path, { name }), { code: 'ERR_CORRUPT' })
  t.false(list().some(object => object.name === name))
})

test('a handle travels as a reference, and open makes the right class of it', async t => {
  using array = NDArray.create(unique('travels'), { shape: [3], fill: 4 })
  using memory = SharedMemory.create(unique('travels'), 8)
  const { port1, port2 } = new MessageChannel()
  for (const handle of [array, memory]) {
    const reference = { crossmem: handle.constructor.name, name: handle.name }
    port1.postMessage(handle)
    const travelled = [
      JSON.parse(JSON.stringify(handle)),
      structuredClone(handle),
      receiveMessageOnPort(port2)?.message,
    ]
    for (const arrived of travelled) {
      t.deepEqual(arrived, reference)
      using opened = open(arrived)
      t.is(opened.constructor, handle.constructor)
    }
    const other = await hireUser()
    t.is(await other.tell({ do: 'open', reference: handle }), handle.constructor.name)
    await other.kill()
  }
  port1.close()
  for (const bad of [null, 5, {}, { crossmem: 'NDArray' }, { name: 'x' }, { crossmem: 3, name: 'x' }]) {
    t.throws(() => open(bad as never), { code: 'ERR_INVALID_ARG' })
  }
  t.throws(() => open({ crossmem: 'Teapot', name: array.name }), { code: 'ERR_UNSUPPORTED' })
  t.throws(() => open({ crossmem: 'toString', name: array.name }), { code: 'ERR_UNSUPPORTED' })
  t.throws(() => open({ crossmem: 'SharedMemory', name: array.name }), { code: 'ERR_WRONG_KIND' })
})

test('updates of several processes are one after another, and snapshots never torn', async t => {
  using array = NDArray.create(unique('busy'), { shape: [500] })
  const writers = Array.from({ length: 3 }, () => start('arrays/update-in-a-loop', array.name, '400'))
  await Promise.all(writers.map(writer => message(writer)))
  const done = Promise.all(writers.map(writer => message(writer)))
  for (const writer of writers) writer.send('go')
  let finished = false
  void done.then(() => {
    finished = true
  })
  while (!finished) {
    const copy = array.snapshot()
    t.true(copy.every(value => value === copy[0]))
    await new Promise(setImmediate)
  }
  t.deepEqual(array.snapshot(), new Float64Array(500).fill(1200))
  await Promise.all(writers.map(gone))
})

test('a writer that is killed inside its update is reported, and the next update repairs', async t => {
  using array = NDArray.create(unique('half'), { shape: [10] })
  const victim = start('arrays/die-inside-update', array.name)
  t.is((await gone(victim)).signal, 'SIGKILL')
  for (let i = 0; i < 2; i++) t.throws(() => array.snapshot(), { code: 'ERR_PEER_DIED' })
  await t.throwsAsync(array.save(join(tmpdir(), 'never.npy')), { code: 'ERR_PEER_DIED' })
  t.deepEqual([...array.data], [7, 7, 7, 7, 7, 0, 0, 0, 0, 0])
  const failed = () =>
    array.update(() => {
      throw new RangeError('no repair')
    })
  t.throws(failed, { instanceOf: RangeError })
  t.throws(() => array.snapshot(), { code: 'ERR_PEER_DIED' }, 'a repair that failed is none')
  array.update((data, { ownerDied }) => {
    t.true(ownerDied)
    data.fill(1)
  })
  t.deepEqual(array.snapshot(), new Float64Array(10).fill(1))
  array.update((_, { ownerDied }) => t.false(ownerDied))
})

for (const [deed, end] of [
  ['process.exit()', 'exit'],
  ['an uncaught exception of the process', 'throw'],
] as const) {
  test(`${deed} inside an update counts as a death inside, or ends it`, async t => {
    using array = NDArray.create(unique('ended'), { shape: [2] })
    await gone(start('arrays/end-inside-update', array.name, end))
    if (end === 'throw') t.deepEqual([...array.snapshot()], [1, 0])
    else t.throws(() => array.snapshot(), { code: 'ERR_PEER_DIED' })
    array.update((_, { ownerDied }) => t.is(ownerDied, end === 'exit'))
    t.deepEqual([...array.snapshot()], [1, 0])
  })
}

test('worker.terminate() inside an update counts as a death inside', async t => {
  using array = NDArray.create(unique('terminated'), { shape: [2] })
  const worker = new Worker(fixture('arrays/end-inside-update'), {
    argv: [array.name, 'spin'],
  })
  await new Promise(resolve => worker.once('message', resolve))
  await worker.terminate()
  t.throws(() => array.snapshot(), { code: 'ERR_PEER_DIED' })
  t.true(array.update((_, { ownerDied }) => ownerDied))
  t.deepEqual([...array.snapshot()], [1, 0])
})

test('update passes results and exceptions through, and refuses calls that would hang', async t => {
  using array = NDArray.create(unique('update'), { shape: [2] })
  t.is(
    array.update(data => data.length),
    2,
  )
  t.throws(
    () =>
      array.update(() => {
        throw new RangeError('mine')
      }),
    { instanceOf: RangeError, message: 'mine' },
  )
  t.throws(() => array.update(() => array.update(() => 1)), { code: 'ERR_DEADLOCK' })
  t.throws(() => array.update(() => array.snapshot()), { code: 'ERR_DEADLOCK' })
  t.throws(() => array.update(() => array.close()), { code: 'ERR_DEADLOCK' })
  for (const wrong of [undefined, null, 1] as never[])
    t.throws(() => array.update(wrong), { code: 'ERR_INVALID_ARG', message: /is a function/ })
  t.throws(() => array.update(async () => 1), { code: 'ERR_INVALID_ARG' })
  t.throws(() => array.update(() => 1, { timeout: -1 }), { code: 'ERR_INVALID_ARG' })
  t.is(
    array.update(() => 1),
    1,
    'none of it left the array locked',
  )
  array.close()
  t.throws(() => array.update(() => 1), { code: 'ERR_CLOSED' })
})

test('a stopped writer makes others wait until their timeout, and takes nothing with it', async t => {
  using array = NDArray.create(unique('stopped'), { shape: [2] })
  const writer = start('arrays/stop-inside-update', array.name)
  await message(writer)
  t.throws(() => array.update(() => 1, { timeout: 5 }), { code: 'ERR_TIMEOUT' })
  t.throws(() => array.snapshot({ timeout: 0 }), { code: 'ERR_TIMEOUT' })
  writer.kill('SIGCONT')
  t.deepEqual([...array.snapshot()], [3, 3])
  t.is((await gone(writer)).code, 0)
})

test('close empties data and every view, and everything else says so', t => {
  const array = NDArray.create(unique('closed'), { shape: [4, 4] })
  const { data } = array
  const row = array.subarray(1)
  array.close()
  array.close()
  t.is(data.length, 0)
  t.is(row.data.length, 0)
  const uses = [
    () => array.data,
    () => array.buffer,
    () => array.get(0, 0),
    () => array.set(0, 0, 1),
    () => array.fill(1),
    () => row.get(0),
    () => array.snapshot(),
    () => array.unlink(),
    () => array.subarray(0),
  ]
  for (const use of uses) t.throws(use, { code: 'ERR_CLOSED' }, String(use))
  t.deepEqual(array.shape, [4, 4])
  t.true(array instanceof NDView)
})

if (process.platform === 'linux') {
  test('a .npy file that another program put there opens, without a trailer', async t => {
    using made = NDArray.from(null, [1, 2, 3])
    const name = unique('foreign')
    const header = new Uint8Array(made.buffer, 0, made.data.byteOffset)
    writeFileSync(`/dev/shm/${name}`, Buffer.concat([header, new Uint8Array(made.data.slice().buffer)]))
    t.teardown(() => rmSync(`/dev/shm/${name}`, { force: true }))
    const array = NDArray.open<'float64'>(name)
    t.deepEqual([...array.data], [1, 2, 3])
    array.data[0] = 10
    t.is(readFileSync(`/dev/shm/${name}`).readDoubleLE(array.data.byteOffset), 10)
    t.throws(() => array.update(() => 1), { code: 'ERR_UNSUPPORTED' })
    t.throws(() => array.snapshot(), { code: 'ERR_UNSUPPORTED' })
    const path = join(tmpdir(), `${name}.npy`)
    t.teardown(() => rmSync(path, { force: true }))
    const saved = array.save(path)
    array.close()
    await saved
    using again = await NDArray.load(path)
    t.deepEqual(again.toNested(), [10, 2, 3] as never, 'saved as it was when save was called')
    t.notThrows(() => readFileSync(`/dev/shm/${name}`), 'closing does not remove it')
    writeFileSync(`/dev/shm/${name}`, 'no array at all, just text')
    t.throws(() => NDArray.open(name), { code: 'ERR_CORRUPT' })
  })

  test('a scribbled header or trailer is refused or survived', t => {
    const below = random(12345)
    for (let round = 0; round < 300; round++) {
      using array = NDArray.create(null, { shape: [10, 10] })
      const bytes = new Uint8Array(array.buffer)
      const from = round % 2 === 0 ? 0 : bytes.length - 4096
      for (let i = 0; i < 3; i++) bytes[from + below(round % 2 === 0 ? 128 : 200)] = below(256)
      try {
        using again = NDArray.open(array.name)
        t.true(again.byteLength <= bytes.length)
        again.update(() => 1, { timeout: 0 })
        again.snapshot({ timeout: 0 })
      } catch (error) {
        t.true(error instanceof CrossmemError, String(error))
      }
    }
  })
}
