import assert from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import { serialize } from 'node:v8'
import test, { type ExecutionContext } from 'ava'
import { CrossmemError } from '../../src/errors.js'
import { numericDTypes } from '../../src/nd/numbers.js'
import type { Order } from '../../src/nd/shape.js'
import { contiguousStrides } from '../../src/nd/shape.js'
import type { NumericDType, ScalarInput, StorageOf } from '../../src/nd/types.js'
import { NDView, type Range } from '../../src/nd/view.js'
import { random } from '../helpers/random.js'

const refuses = (t: ExecutionContext, code: string, message: RegExp, run: () => unknown) =>
  t.throws(run, { instanceOf: CrossmemError, code, message })

/** A view on fresh memory, whose elements are 0, 1, 2, … in memory order. */
function counting<D extends NumericDType = 'int32'>(
  shape: number[],
  order: Order = 'C',
  dtype = 'int32' as D,
): NDView<D> {
  const { Storage, lanes, write } = numericDTypes[dtype]
  const size = shape.reduce((a, b) => a * b, 1)
  const data = new Storage(size * lanes) as StorageOf<D>
  for (let i = 0; i < size; i++) write(data, i * lanes, (dtype === 'bool' ? i % 2 : i) as ScalarInput<D>)
  return new NDView({ data, dtype, shape, order })
}

/** Whether two values are equal for `node:assert`, strictly and not, and for `node:util`. */
function equality(a: unknown, b: unknown): boolean[] {
  const passes = (compare: (a: unknown, b: unknown) => void) => {
    try {
      compare(a, b)
      return true
    } catch (error) {
      if (error instanceof assert.AssertionError) return false
      throw error
    }
  }
  return [passes(assert.deepStrictEqual), passes(assert.deepEqual), isDeepStrictEqual(a, b)]
}

/** Takes the memory away, as closing does. */
const detach = (view: NDView) =>
  void structuredClone(view.data.buffer, { transfer: [view.data.buffer as ArrayBuffer] })

test('strides without gaps', t => {
  t.deepEqual(contiguousStrides([2, 3, 4], 'C'), [12, 4, 1])
  t.deepEqual(contiguousStrides([2, 3, 4], 'F'), [1, 2, 6])
  t.deepEqual(contiguousStrides([], 'C'), [])
  t.deepEqual(contiguousStrides([2, 0, 3], 'C'), [3, 3, 1])
})

test('a view prints what it shows', t => {
  const view = counting([2, 3], 'F', 'complex64')
  t.is(view.dtype, 'complex64')
  t.deepEqual(view.shape, [2, 3])
  t.deepEqual(view.strides, [1, 2])
  t.is(view.order, 'F')
  t.is(view.size, 6)
  t.is(view.ndim, 2)
  t.is(view.byteLength, 48)
  t.is(view.data.length, 12)
  t.is(Object.getPrototypeOf(view.data), Float32Array.prototype)
  t.is(new NDView({ data: new Int8Array(4), dtype: 'int8', shape: [4] }).order, 'C')
})

test('nothing about a view can be changed from outside, and nothing of it is copied along', t => {
  const view = counting([2, 3])
  t.throws(() => ((view as { contents?: unknown }).contents = {}), { instanceOf: TypeError })
  t.throws(() => structuredClone(view), { any: true, name: 'DataCloneError', message: /send the array/ })
  t.throws(() => serialize({ row: view }), { message: /could not be cloned/ })
  refuses(t, 'ERR_INVALID_ARG', /send the array.*toNested/, () => JSON.stringify({ row: view }))
  t.throws(() => (view.shape as number[]).push(4), { instanceOf: TypeError })
  t.throws(() => ((view.strides as number[])[0] = 0), { instanceOf: TypeError })
  t.throws(() => ((view as { size: number }).size = 9), { instanceOf: TypeError })
  const shape = [2, 3]
  const mine = new NDView({ data: new Int8Array(6), dtype: 'int8', shape })
  shape[0] = 99
  t.deepEqual(mine.shape, [2, 3])
})

test('views are equal for assertions if dtype, shape and elements are', t => {
  const c = counting([2, 3])
  const f = counting([2, 3], 'F')
  f.subarray(0).fill(7)
  const closed = counting([2, 3])
  detach(closed)
  for (const dtype of Object.keys(numericDTypes) as NumericDType[]) {
    const [one, two] = [counting([2, 3], 'C', dtype), counting([2, 3], 'C', dtype)]
    t.deepEqual(equality(one, two), [true, true, true], dtype)
    t.deepEqual(equality({ row: [one.subarray(null, 1)] }, { row: [two.subarray(null, 1)] }), [
      true,
      true,
      true,
    ])
    two.set(1, 1, one.get(0, 1) as never)
    t.deepEqual(equality(one, two), [false, false, false], dtype)
    t.deepEqual(equality([one.subarray(null, 1)], [two.subarray(null, 1)]), [false, false, false], dtype)
    t.deepEqual(equality(one.subarray(null, 0), two.subarray(null, 0)), [true, true, true], dtype)
  }
  const ordered = counting([2, 3], 'F')
  for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) ordered.set(i, j, 3 * i + j)
  t.deepEqual(equality(c, ordered), [true, true, true], 'order is no difference')
  t.deepEqual(equality(c.subarray([0, 0]), f.subarray([1, 1])), [true, true, true], 'empty')
  const unequal: [unknown, unknown][] = [
    [c.subarray(0), c.subarray(1)],
    [f.subarray(null, 0), f.subarray(null, 1)],
    [c.subarray(0), c.subarray([0, 1])],
    [c.subarray(0), c.subarray(0, [0, 2])],
    [c.subarray(0, 0), c.subarray(0, 1)],
    [c, counting([2, 3], 'C', 'int16')],
    [c, closed],
    [new Map([['row', c.subarray(0)]]), new Map([['row', c.subarray(1)]])],
  ]
  for (const [a, b] of unequal) {
    t.deepEqual(equality(a, b), [false, false, false])
    t.notDeepEqual(a, b)
  }
})

test('every dtype can be got and set, in both orders', t => {
  for (const dtype of Object.keys(numericDTypes) as NumericDType[]) {
    for (const order of ['C', 'F'] as const) {
      const view = counting([2, 3], order, dtype)
      const { lanes } = numericDTypes[dtype]
      const { read } = numericDTypes[dtype] as unknown as { read(data: unknown, at: number): unknown }
      const at = (i: number, j: number) => lanes * (order === 'C' ? 3 * i + j : i + 2 * j)
      for (let i = 0; i < 2; i++)
        for (let j = 0; j < 3; j++)
          t.deepEqual(view.get(i, j), read(view.data, at(i, j)) as never, `${dtype} ${order}`)
      t.is(view.set(1, 2, 1 as never), view)
      t.deepEqual(view.get(1, 2), read(view.data, 5 * lanes) as never)
      t.deepEqual(view.get(0, 2), read(view.data, at(0, 2)) as never)
    }
  }
})

test('a scalar needs no index', t => {
  const view = new NDView({ data: new Float64Array([7]), dtype: 'float64', shape: [] })
  t.is(view.get(), 7)
  t.is(view.set(8).get(), 8)
  t.is(view.fill(9).toNested(), 9)
  t.is(view.subarray().get(), 9)
  t.is(view.size, 1)
  t.is(String(view), '9')
})

test('indices that do not fit are refused and change nothing', t => {
  const view = counting([2, 3])
  const before = [...view.data]
  for (const index of [[], [0], [0, 0, 0]]) {
    refuses(t, 'ERR_INVALID_ARG', /indices given for 2 axes/, () => view.get(...index))
    refuses(t, 'ERR_INVALID_ARG', /indices given for 2 axes/, () => view.set(...index, 1))
  }
  refuses(t, 'ERR_INVALID_ARG', /0 indices/, () => (view.set as () => void).call(view))
  for (const bad of [
    -1,
    3,
    1.5,
    NaN,
    Infinity,
    -Infinity,
    '1',
    null,
    undefined,
    1n,
    true,
    [],
    {},
  ] as number[]) {
    refuses(t, 'ERR_OUT_OF_RANGE', /axis 1 has 3/, () => view.get(0, bad))
    refuses(t, 'ERR_OUT_OF_RANGE', /axis 1 has 3/, () => view.set(0, bad, 1))
  }
  refuses(t, 'ERR_OUT_OF_RANGE', /index 2 is out of range: axis 0 has 2/, () => view.get(2, 0))
  refuses(t, 'ERR_INVALID_ARG', /expected a number/, () => view.set(0, 0, '1' as never))
  t.deepEqual([...view.data], before)
})

test('fill covers the view and nothing else', t => {
  const whole = counting([4, 5])
  t.is(whole.fill(7), whole)
  t.deepEqual(new Set(whole.data), new Set([7]))
  whole.subarray([1, 3], [1, 4]).fill(1) // with gaps
  whole.subarray(3).fill(2) // without
  whole.subarray(null, 0).fill(3)
  t.deepEqual(whole.toNested(), [
    [3, 7, 7, 7, 7],
    [3, 1, 1, 1, 7],
    [3, 1, 1, 1, 7],
    [3, 2, 2, 2, 2],
  ])
  const complex = counting([2, 2], 'F', 'complex128')
  complex.fill([1, -1]).subarray(0).fill(5)
  t.deepEqual(complex.toNested(), [
    [
      [5, 0],
      [5, 0],
    ],
    [
      [1, -1],
      [1, -1],
    ],
  ])
  t.deepEqual(counting([2, 2], 'F', 'int64').fill(3).toNested(), [
    [3n, 3n],
    [3n, 3n],
  ])
  t.deepEqual(counting([3], 'C', 'bool').fill(true).toNested(), [true, true, true])
  t.is(counting([2], 'C', 'float16').fill(1.5).get(1), 1.5)
  // More memory than elements, a last axis that isn't dense: nothing behind or between is touched.
  const spare = new NDView({ data: new Int8Array(9), dtype: 'int8', shape: [2, 2], strides: [4, 2] })
  t.deepEqual([...spare.fill(1).data], [1, 0, 1, 0, 1, 0, 1, 0, 0])
  t.deepEqual(
    [...new NDView({ data: new Int8Array(5), dtype: 'int8', shape: [3] }).fill(1).data],
    [1, 1, 1, 0, 0],
  )
  // Overlapping elements: as many slots as elements, but not all of them are theirs.
  t.deepEqual(
    [...new NDView({ data: new Int8Array(4), dtype: 'int8', shape: [2, 2], strides: [3, 0] }).fill(1).data],
    [1, 0, 0, 1],
  )
})

test('fill refuses a wrong value even where there is nothing to fill', t => {
  refuses(t, 'ERR_INVALID_ARG', /expected a number/, () => counting([0]).fill('x' as never))
  t.deepEqual(counting([0, 3]).fill(1).toNested(), [])
})

test('subarray: indices, ranges and whole axes', t => {
  const view = counting([4, 5])
  t.deepEqual(view.subarray().toNested(), view.toNested())
  t.deepEqual(view.subarray(1).toNested(), [5, 6, 7, 8, 9])
  t.deepEqual(view.subarray(-1).toNested(), [15, 16, 17, 18, 19])
  t.deepEqual(view.subarray(null, -2).toNested(), [3, 8, 13, 18])
  t.deepEqual(view.subarray(undefined, [1, 3]).toNested(), [
    [1, 2],
    [6, 7],
    [11, 12],
    [16, 17],
  ])
  t.deepEqual(view.subarray([-2], 0).toNested(), [10, 15])
  t.is(view.subarray(2, 3).toNested(), 13)
  const part = view.subarray([1, 3], [2, 4])
  t.deepEqual(part.shape, [2, 2])
  t.deepEqual(part.strides, [5, 1])
  t.is(part.data[0], 7)
  t.is(part.data.length, 7, 'the data ends with the last element')
  t.deepEqual(part.subarray([1, 2], 1).toNested(), [13])
  part.set(0, 0, -1)
  t.is(view.get(1, 2), -1, 'it is the same memory')
  t.is(part.data.buffer, view.data.buffer)
  t.is(counting([2, 3], 'F').subarray(1).order, 'F')
  t.deepEqual(counting([2, 3], 'F').subarray(1).toNested(), [1, 3, 5])
  t.deepEqual(counting([3, 2], 'C', 'complex64').subarray([1], 1).toNested(), [
    [3, 0],
    [5, 0],
  ])
  t.is(Object.getPrototypeOf(part.data), Int32Array.prototype)
})

test('ranges clamp exactly as TypedArray.subarray does', t => {
  const view = counting([5])
  const bounds = [undefined, 0, 1, 4, 5, 6, -1, -5, -6, 1.9, -1.9, NaN, Infinity, -Infinity, -0]
  for (const start of bounds)
    for (const end of bounds)
      t.deepEqual(
        view.subarray([start, end]).toNested(),
        [...view.data.subarray(start, end)],
        `[${start}, ${end})`,
      )
})

test('an empty part is a view like any other', t => {
  const view = counting([4, 5])
  const empty = view.subarray([4], [5])
  t.deepEqual(empty.shape, [0, 0])
  t.is(empty.data.length, 0)
  t.is(empty.size, 0)
  t.deepEqual(view.subarray(null, [3, 1]).toNested(), [[], [], [], []])
  t.is(String(empty), '[]')
  t.deepEqual(empty.subarray([0, 9]).shape, [0, 0])
  refuses(t, 'ERR_OUT_OF_RANGE', /0 elements/, () => empty.get(0, 0))
  refuses(t, 'ERR_OUT_OF_RANGE', /0 elements/, () => empty.subarray(-1))
})

test('ranges that make no sense are refused', t => {
  const view = counting([4, 5])
  refuses(t, 'ERR_INVALID_ARG', /3 ranges given for 2 axes/, () => view.subarray(null, null, null))
  for (const bad of ['1', {}, true, 1n, ['0', 1], [0, null], [0, 4, 2], [1n]] as unknown as Range[])
    refuses(t, 'ERR_INVALID_ARG', /range of axis 0/, () => view.subarray(bad))
  for (const bad of [4, -5, 1.5, NaN, Infinity])
    refuses(t, 'ERR_OUT_OF_RANGE', /axis 0 has 4/, () => view.subarray(bad))
})

test('random views of views agree with plain arrays', t => {
  const below = random(7)
  type Plain = number | Plain[]
  const slice = (value: Plain, ranges: Range[]): Plain => {
    const [range, ...rest] = ranges
    if (ranges.length === 0 || !Array.isArray(value)) return value
    if (typeof range === 'number') return slice(value.at(range) as Plain, rest)
    return (range ? value.slice(range[0], range[1]) : value).map(item => slice(item, rest))
  }
  for (let round = 0; round < 2000; round++) {
    const shape = Array.from({ length: 1 + below(4) }, () => 1 + below(5))
    let view: NDView<'int32'> = counting(shape, below(2) ? 'C' : 'F')
    let plain = view.toNested() as Plain
    for (let cuts = 0; cuts < 3; cuts++) {
      const ranges = view.shape.slice(0, below(view.ndim + 1)).map((dim): Range => {
        const kind = below(3)
        if (kind === 0 && dim > 0) return below(2 * dim) - dim
        return kind === 1 ? null : [below(2 * dim + 3) - dim - 1, below(2 * dim + 3) - dim - 1]
      })
      plain = slice(plain, ranges)
      view = view.subarray(...ranges)
      t.deepEqual(view.toNested() as Plain, plain, JSON.stringify({ round, shape, ranges }))
    }
    if (view.size > 0)
      t.is(
        view.data.length,
        1 + view.shape.reduce((n, dim, i) => n + (dim - 1) * (view.strides[i] as number), 0),
      )
  }
})

test('the constructor refuses data that does not fit', t => {
  const make = (parts: Partial<ConstructorParameters<typeof NDView<'int8'>>[0]>) => () =>
    new NDView<NumericDType>({ data: new Int8Array(6), dtype: 'int8', shape: [2, 3], ...parts } as never)
  t.notThrows(make({}))
  refuses(t, 'ERR_INVALID_ARG', /5 slots/, make({ data: new Int8Array(5) }))
  refuses(t, 'ERR_INVALID_ARG', /6 slots/, make({ strides: [4, 1] }))
  refuses(t, 'ERR_INVALID_ARG', /6 slots/, make({ shape: [2 ** 40] }))
  for (const strides of [[3], [3, 1, 1], [-3, 1], [1.5, 1], [NaN, 1], ['3', 1], [2 ** 53, 1]] as number[][])
    refuses(t, 'ERR_INVALID_ARG', /strides must be/, make({ strides }))
  for (const shape of [[-1], [1.5], '23', null] as number[][])
    refuses(t, 'ERR_INVALID_ARG', /no shape/, make({ shape }))
  refuses(t, 'ERR_INVALID_ARG', /plain Int8Array/, make({ data: new Uint8Array(6) as never }))
  class Mine extends Int8Array {}
  refuses(t, 'ERR_INVALID_ARG', /plain Int8Array/, make({ data: new Mine(6) }))
  refuses(
    t,
    'ERR_INVALID_ARG',
    /plain Uint8Array/,
    make({ dtype: 'uint8' as never, data: Buffer.alloc(6) as never }),
  )
  refuses(
    t,
    'ERR_INVALID_ARG',
    /6 slots/,
    () => new NDView({ data: new Float32Array(6), dtype: 'complex64', shape: [4] }),
  )
})

test('once the memory is gone, every use says so', t => {
  class Named extends NDView<'int32'> {}
  const { data } = counting([2, 3])
  const view = new Named({ data, dtype: 'int32', shape: [2, 3] })
  const part = view.subarray(1)
  detach(view)
  for (const gone of [view, part]) {
    t.is(gone.data.length, 0)
    refuses(t, 'ERR_CLOSED', /was closed/, () => gone.get(...gone.shape.map(() => 0)))
    refuses(t, 'ERR_CLOSED', /was closed/, () => gone.get(99))
    refuses(t, 'ERR_CLOSED', /was closed/, () => gone.set(...gone.shape.map(() => 0), 1))
    refuses(t, 'ERR_CLOSED', /was closed/, () => gone.fill(1))
    refuses(t, 'ERR_CLOSED', /was closed/, () => gone.subarray())
    refuses(t, 'ERR_CLOSED', /was closed/, () => gone.toNested())
    refuses(t, 'ERR_CLOSED', /was closed/, () => gone.toString())
  }
  t.deepEqual(view.shape, [2, 3])
  t.is(inspect(view), 'Named int32 [2, 3] (closed)')
})

test('printing', t => {
  t.is(String(counting([3])), '[0 1 2]')
  t.is(String(counting([2, 6])), '[[ 0  1  2  3  4  5]\n [ 6  7  8  9 10 11]]')
  t.is(String(counting([2, 2, 2])), '[[[0 1]\n  [2 3]]\n\n [[4 5]\n  [6 7]]]')
  t.is(String(counting([2, 2], 'F')), '[[0 2]\n [1 3]]')
  t.is(String(counting([2], 'C', 'bool')), '[false  true]')
  t.is(String(counting([2], 'C', 'uint64')), '[0 1]')
  t.is(
    String(new NDView({ data: new Float32Array([0.1, -0, 1e30, NaN]), dtype: 'float32', shape: [4] })),
    '[  0.1    -0 1e+30   NaN]',
  )
  t.is(
    String(new NDView({ data: new Float64Array([1, -2, 0.5, 3]), dtype: 'complex128', shape: [2] })),
    '[  1-2j 0.5+3j]',
  )
  t.is(String(counting([2, 0])), '[]')
  // An empty array may have axes of any length: nothing may loop over them.
  t.is(String(new NDView({ data: new Int8Array(0), dtype: 'int8', shape: [2 ** 50, 0] })), '[]')
  t.is(inspect(counting([2, 2])), 'NDView int32 [2, 2]\n[[0 1]\n [2 3]]')
  t.is(inspect({ view: counting([1]) }), '{\n  view: NDView int32 [1]\n  [0]\n}')
})

test('long rows are broken, and of long arrays only the edges are printed', t => {
  const rows = String(counting([1000])).split('\n')
  t.true(rows.length > 1 && rows.every(row => row.length <= 75))
  t.is(rows.join(' ').match(/\d+/g)?.length, 1000)
  t.is(String(counting([1001])), '[   0    1    2 …  998  999 1000]')
  const big = String(counting([1000, 1000]))
  t.is(big.split('\n').length, 7)
  t.is(big.split('\n')[3], ' …')
  t.is(big.match(/\d+/g)?.length, 36)
  t.is(String(counting([2, 1000])).split('\n').length, 2)
})

// Types are part of the promise: these lines compile or the build fails.
test('types follow the dtype', t => {
  const floats: Float64Array = counting([1], 'C', 'float64').data
  const big: bigint = counting([1], 'C', 'int64').get(0)
  const flag: boolean = counting([1], 'C', 'bool').get(0)
  const [re, im]: [number, number] = counting([1], 'C', 'complex64').get(0)
  const any: NDView = counting([1], 'C', 'float64')
  t.deepEqual([floats.length, big, flag, re, im, any.size], [1, 0n, false, 0, 0, 1])
})
